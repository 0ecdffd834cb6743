// The settings that decide when the agent delivers dumps.
import * as v from "valibot";
import { readSchedule } from "./cron-schedule.ts";
import type { Setting } from "./setting.ts";

const schedule: Setting<string> = {
  schema: v.pipe(
    v.string(),
    v.check((expression) => readSchedule(expression, "") !== undefined),
  ),
  fallback: "",
  expected:
    "a cron expression of 5 fields (weekdays 0 or 7 = Sunday), or of 6 or 7 with seconds first (weekdays 1 = Sunday to 7 = Saturday, year last)",
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

function isTimeZone(zone: string): boolean {
  try {
    void new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
