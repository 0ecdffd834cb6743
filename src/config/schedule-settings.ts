// When dumps are delivered: SCHEDULE and its time zone, beside INTERVAL and USE_INOTIFY.
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

export const SCHEDULE_SETTINGS = {
  SCHEDULE: schedule,
  /** Of SCHEDULE; the system's where it is not set. */
  TZ: timeZone,
} as const;

/** False where no trigger is set: then the dumps are somebody else's to fetch. */
export function uploadsAreOn(settings: {
  INTERVAL: number;
  SCHEDULE: string;
  USE_INOTIFY: boolean;
}): boolean {
  return settings.INTERVAL > 0 || settings.SCHEDULE !== "" || settings.USE_INOTIFY;
}

/** Five fields, six with the seconds first, or a word such as @daily. */
function isSchedule(expression: string): boolean {
  // cron-parser itself fills in missing fields; a schedule that lost one is a mistake.
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
