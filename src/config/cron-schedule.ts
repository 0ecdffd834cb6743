// SCHEDULE's two dialects. With the seconds first (six or seven fields) it is the one of IBM's agent, whose scheduler
// counts weekdays from 1 = Sunday and wants day of the month and weekday both to fit. Five fields are cron(5)'s, and
// IBM's agent refused them. cron-parser knows cron(5) alone, so weekday and year of the other are filters behind it.
import { CronDate, CronExpressionParser } from "cron-parser";

/** A parsed SCHEDULE. */
export interface CronSchedule {
  /** Which rules the expression was read by, for the log. */
  dialect: string;
  /** Returns the next times after `from`; fewer where the schedule ends before. */
  nextRuns(count: number, from: Date): Date[];
}

const CRON5 = "cron(5): weekdays 0 and 7 = Sunday, day of month OR weekday";
const IBM =
  "seconds first: weekdays 1 = Sunday to 7 = Saturday, day of month AND weekday, year last if given";

/** What cron-parser reads, and what must fit besides. */
interface Plan {
  dialect: string;
  times: string;
  /** 0 = Sunday to 6; undefined for all. */
  weekdays?: ReadonlySet<number>;
  years?: ReadonlySet<number>;
}

const NAMES =
  /\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)[a-z]+/gi;

/** IBM's scheduler knows the years from 1970 to 2100. */
const YEARS = { first: 1970, last: 2100 };

/** How many days and years are passed over in search of the next time; a 29 February on a Monday takes 28 years. */
const LOOKS_MAX = 2_000;

/** Parses an expression; undefined for one that is wrong or never comes again. An empty time zone is the system's. */
export function readSchedule(expression: string, timeZone: string): CronSchedule | undefined {
  const zone = timeZone === "" ? {} : { tz: timeZone };
  try {
    const plan = planOf(expression.trim());
    const nextRuns = (count: number, from: Date) => {
      const runs: Date[] = [];
      for (let run = nextRun(plan, from, zone); run !== undefined && runs.length < count;) {
        runs.push(run);
        run = nextRun(plan, run, zone);
      }
      return runs;
    };
    return nextRuns(1, new Date()).length === 0 ? undefined : { dialect: plan.dialect, nextRuns };
  } catch {
    return undefined;
  }
}

function planOf(expression: string): Plan {
  const fields = expression.split(/\s+/);
  if (expression.startsWith("@") || fields.length === 5)
    return { dialect: CRON5, times: expression };
  if (fields.length !== 6 && fields.length !== 7) throw new Error("a field is missing");
  const [second, minute, hour, day, month = "", weekday = "", year = "*"] = fields;
  // IBM's scheduler takes whole names too, such as Monday.
  const times = [second, minute, hour, day, month.replaceAll(NAMES, "$1"), "*"].join(" ");
  const dialect = IBM;
  return {
    dialect,
    times,
    ...(isAny(weekday) ? {} : { weekdays: weekdaysOf(weekday) }),
    ...(isAny(year) ? {} : { years: yearsOf(year) }),
  };
}

function isAny(field: string): boolean {
  return field === "*" || field === "?";
}

/** Reads 1 to 7 and names, lists, ranges and steps. */
function weekdaysOf(field: string): ReadonlySet<number> {
  const fromSunday = field
    .replaceAll(NAMES, "$1")
    .replaceAll(/(^|[,-])(\d+)/g, (_, before, digits) => {
      if (!/^[1-7]$/.test(digits)) throw new Error(`there is no weekday ${digits}`);
      return `${before}${Number(digits) - 1}`;
    });
  const { dayOfWeek } = CronExpressionParser.parse(`0 0 0 * * ${fromSunday}`).fields;
  return new Set(dayOfWeek.values.map((value) => Number(value) % 7));
}

function yearsOf(field: string): ReadonlySet<number> {
  const years = field.split(",").flatMap((item) => {
    const [, from = "", to, step = "1"] = /^(\d{4}|\*)(?:-(\d{4}))?(?:\/(\d+))?$/.exec(item) ?? [];
    const first = from === "*" ? YEARS.first : Number(from);
    const last = Number(to ?? (item.includes("/") || from === "*" ? YEARS.last : from));
    if (from === "" || last < first || step === "0") throw new Error(`${item} is no year`);
    const count = Math.floor((last - first) / Number(step)) + 1;
    return Array.from(
      { length: Math.min(count, YEARS.last) },
      (_, at) => first + at * Number(step),
    );
  });
  return new Set(years);
}

function nextRun(plan: Plan, from: Date, zone: { tz?: string }): Date | undefined {
  let currentDate = from;
  for (let look = 0; look < LOOKS_MAX; look++) {
    const run = CronExpressionParser.parse(plan.times, { ...zone, currentDate }).next();
    const skipped = skip(plan, run);
    if (skipped === undefined) return run.toDate();
    if (skipped === "for ever") return undefined;
    currentDate = skipped;
  }
  return undefined;
}

/** Returns the moment to look on from where a time does not fit; undefined where it does. */
function skip({ weekdays, years }: Plan, run: CronDate): Date | undefined | "for ever" {
  const year = run.getFullYear();
  if (years !== undefined && !years.has(year)) {
    const later = [...years].filter((each) => each > year);
    if (later.length === 0) return "for ever";
    const end = new CronDate(run);
    end.setFullYear(Math.min(...later) - 1);
    end.setMonth(11);
    end.setDate(31);
    end.setEndOfDay();
    return end.toDate();
  }
  if (weekdays === undefined || weekdays.has(run.getDay())) return undefined;
  const end = new CronDate(run);
  end.setEndOfDay();
  return end.toDate();
}
