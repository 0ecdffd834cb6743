// SCHEDULE's two dialects. With the seconds first (six or seven fields) it is the one of IBM's agent, whose scheduler
// counts weekdays from 1 = Sunday and wants day of the month and weekday both to fit. Five fields are cron(5)'s, and
// IBM's agent refused them.
import { Cron } from "croner";

/** A parsed SCHEDULE. */
export interface CronSchedule {
  /** Which rules the expression was read by, for the log. */
  dialect: string;
  /** Returns the next times after `from`; fewer where the schedule ends before. */
  nextRuns(count: number, from: Date): Date[];
}

const DIALECTS = {
  cron5: {
    name: "cron(5): weekdays 0 and 7 = Sunday, day of month OR weekday",
    options: { mode: "5-part", domAndDow: false },
  },
  ibm: {
    name: "seconds first: weekdays 1 = Sunday to 7 = Saturday, day of month AND weekday, year last if given",
    options: { mode: "6-or-7-parts", domAndDow: true, alternativeWeekdays: true },
  },
} as const;

/** The places of the fields with the seconds first. */
const MONTH = 4;
const WEEKDAY = 5;
const NAMES = {
  [MONTH]: /\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]+/gi,
  [WEEKDAY]: /\b(sun|mon|tue|wed|thu|fri|sat)[a-z]+/gi,
};

/** Parses an expression; undefined for one that is wrong or never comes again. An empty time zone is the system's. */
export function readSchedule(expression: string, timeZone: string): CronSchedule | undefined {
  const fields = expression.trim().split(/\s+/);
  const isNickname = expression.startsWith("@");
  const dialect = isNickname || fields.length === 5 ? DIALECTS.cron5 : DIALECTS.ibm;
  // croner takes 8 and 9 for weekdays of the next week.
  if (dialect === DIALECTS.ibm && /(^|[,-])(0|[89]|\d\d)/.test(fields[WEEKDAY] ?? ""))
    return undefined;
  const plain = dialect === DIALECTS.ibm ? fields.map(shortenNames).join(" ") : expression;
  try {
    const cron = new Cron(plain, {
      ...dialect.options,
      // 1/60, as IBM's values have it.
      sloppyRanges: true,
      ...(timeZone === "" ? {} : { timezone: timeZone }),
    });
    if (cron.nextRun() === null) return undefined;
    return { dialect: dialect.name, nextRuns: (count, from) => cron.nextRuns(count, from) };
  } catch {
    return undefined;
  }
}

/** IBM's scheduler takes whole names too, such as Monday. */
function shortenNames(field: string, place: number): string {
  return place === MONTH || place === WEEKDAY ? field.replaceAll(NAMES[place], "$1") : field;
}
