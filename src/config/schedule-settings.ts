// The settings that decide when the agent delivers dumps.
import { CronExpressionParser } from "cron-parser";
import * as v from "valibot";
import type { Setting } from "./setting.ts";

const schedule: Setting<string> = {
  schema: v.pipe(v.string(), v.check(isSchedule)),
  fallback: "",
  expected: "a cron expression of 5 fields, or 6 with seconds first",
};

const timeZone: Setting<string> = {
  schema: v.pipe(v.string(), v.check(isTimeZone)),
  fallback: "",
  expected: "a time zone such as Europe/Berlin",
};

/** These settings by variable. */
export const SCHEDULE_SETTINGS = {
  SCHEDULE: schedule,
  /** SCHEDULE's time zone; the system's where it is unset. */
  TZ: timeZone,
} as const;

/** Returns whether any trigger is set. Without one the agent delivers nothing, and somebody else fetches the dumps. */
export function uploadsAreOn(settings: {
  INTERVAL: number;
  SCHEDULE: string;
  USE_INOTIFY: boolean;
}): boolean {
  return settings.INTERVAL > 0 || settings.SCHEDULE !== "" || settings.USE_INOTIFY;
}

/** Returns whether a text has five fields, six with the seconds first, or is a word such as @daily. */
function isSchedule(expression: string): boolean {
  // cron-parser fills in missing fields by itself, but a schedule that lacks one is a mistake.
  const fields = expression.split(/\s+/).length;
  if (!expression.startsWith("@") && fields !== 5 && fields !== 6) return false;
  return succeeds(() => CronExpressionParser.parse(expression).next());
}

function isTimeZone(zone: string): boolean {
  return succeeds(() => new Intl.DateTimeFormat("en", { timeZone: zone }));
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
