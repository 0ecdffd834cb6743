// The settings of notifications: whom the agent tells of delivered dumps, and how often.
import * as v from "valibot";
import { choice, integer, type Setting } from "./setting.ts";

const WEB_ADDRESS_PATTERN = "^https?://[^\\s/]";

function webAddress(options: { secret: boolean }): Setting<string> {
  return {
    schema: v.pipe(
      v.string(),
      v.regex(new RegExp(WEB_ADDRESS_PATTERN)),
      v.check((value) => URL.canParse(value)),
    ),
    fallback: "",
    expected: "an address that begins with https:// or http://",
    shape: { kind: "pattern", pattern: WEB_ADDRESS_PATTERN },
    secret: options.secret,
  };
}

/** These settings by variable. */
export const NOTIFY_SETTINGS = {
  /** Where the agent posts JSON about delivered dumps (a Slack webhook, for one); unset: nowhere. */
  NOTIFY_URL: webAddress({ secret: true }),
  /** first: of each bug's first crash; all: of every crash. */
  NOTIFY_ON: choice("first", ["first", "all"]),
  /** How many notifications one agent sends in an hour at most; one namespace has at most half of them. */
  NOTIFY_LIMIT: integer(20, { min: 1, max: 10_000, unit: "notifications" }),
  /** The address under which people reach `serve`'s pages, for links. */
  NOTIFY_PAGE: webAddress({ secret: false }),
} as const;
