// Questions to the cache: which bugs, which crashes of a bug, what they share. Each looks only at the namespaces that
// this server may show.
import type { SQLQueryBindings } from "bun:sqlite";
import { dayOf } from "../../model/crash-index.ts";
import type { CrashCache, CrashRow } from "./crash-cache.ts";
import { FILTER_COLUMNS, type FilterColumn, type Filters, type Order } from "./filters.ts";

/** One bug among the crashes that a page is about. */
export interface BugRow {
  bug: string;
  count: number;
  /** Seconds since the epoch. */
  first: number;
  last: number;
}

/** How often a value occurs, and since when. */
export interface ValueCount {
  value: string | null;
  count: number;
  first: number;
}

/** Which namespaces may be shown; empty is all. */
export type Allowed = readonly string[];

interface Where {
  sql: string;
  values: SQLQueryBindings[];
}

const ORDER_BY: Readonly<Record<Order, string>> = {
  last: "last DESC, bug",
  count: "count DESC, last DESC, bug",
  first: "first DESC, bug",
};

function whereOf(filters: Filters | undefined, allowed: Allowed, nowSeconds: number): Where {
  const parts = ["1"];
  const values: SQLQueryBindings[] = [];
  const add = (sql: string, ...more: SQLQueryBindings[]) => {
    parts.push(sql);
    values.push(...more);
  };
  if (allowed.length > 0) add(`namespace IN (${allowed.map(() => "?").join(",")})`, ...allowed);
  for (const word of filters?.search.split(/\s+/).filter((each) => each !== "") ?? []) {
    const like = `%${word.replace(/[%_\\]/g, "\\$&")}%`;
    const columns = ["title", "exe", "pod", "bug"];
    add(
      `(${columns.map((column) => `${column} LIKE ? ESCAPE '\\'`).join(" OR ")})`,
      ...columns.map(() => like),
    );
  }
  for (const name of Object.keys(FILTER_COLUMNS) as FilterColumn[]) {
    const value = filters?.columns[name];
    if (value !== undefined) add(`${name} = ?`, value);
  }
  const days = filters?.days ?? 0;
  if (days > 0) add("time >= ?", Math.floor(nowSeconds) - days * 86_400);
  return { sql: parts.join(" AND "), values };
}

/** For how long an answer is kept where no crash comes, in ms: what is "of the last days" moves on. */
const KEEP_MS = 60_000;
const ANSWERS_MAX = 2000;
/** Among how many of a bug's last crashes the one to look at is. */
const LAST_CRASHES = 200;

/** The questions that a page asks, each of which knows the type of its rows. Answers are kept until the crashes change. */
export class CacheQueries {
  private readonly cache: CrashCache;
  private readonly allowed: Allowed;
  private readonly answers = new Map<string, readonly unknown[]>();
  private answersVersion = -1;
  private answersMs = 0;

  constructor(cache: CrashCache, allowed: Allowed) {
    this.cache = cache;
    this.allowed = allowed;
  }

  /** Returns the rows, those kept where the crashes have not changed. */
  private ask(sql: string, ...values: SQLQueryBindings[]): readonly unknown[] {
    const { version } = this.cache;
    const isOld = version !== this.answersVersion || Date.now() - this.answersMs > KEEP_MS;
    if (isOld || this.answers.size >= ANSWERS_MAX) {
      this.answers.clear();
      this.answersVersion = version;
      this.answersMs = Date.now();
    }
    const question = JSON.stringify([sql, ...values]);
    const kept = this.answers.get(question);
    if (kept !== undefined) return kept;
    const rows = this.cache.database.query<unknown, SQLQueryBindings[]>(sql).all(...values);
    this.answers.set(question, rows);
    return rows;
  }

  /** Returns the bugs of a page, one more than `most` where there are more, and how many there are in all. */
  bugs(filters: Filters, most: number): { rows: readonly BugRow[]; bugs: number; crashes: number } {
    const where = this.where(filters);
    const groups = `SELECT bug, count(*) AS count, min(time) AS first, max(time) AS last
      FROM crashes WHERE ${where.sql} GROUP BY bug`;
    const [totals] = this.ask(
      `SELECT count(*) AS bugs, sum(count) AS crashes FROM (${groups})`,
      ...where.values,
    ) as readonly { bugs: number; crashes: number | null }[];
    const rows = this.ask(
      `${groups} ORDER BY ${ORDER_BY[filters.order]} LIMIT ? OFFSET ?`,
      ...where.values,
      most,
      filters.page * most,
    ) as readonly BugRow[];
    return { rows, bugs: totals?.bugs ?? 0, crashes: totals?.crashes ?? 0 };
  }

  /** Returns one bug's row; undefined where none of its crashes may be shown. */
  bug(bug: string): BugRow | undefined {
    const where = this.where(undefined);
    const [row] = this.ask(
      `SELECT bug, count(*) AS count, min(time) AS first, max(time) AS last
        FROM crashes WHERE bug = ? AND ${where.sql} GROUP BY bug`,
      bug,
      ...where.values,
    ) as readonly BugRow[];
    return row;
  }

  /** Returns the bug's crashes, the newest first. */
  crashes(bug: string, filters: Filters, most: number): readonly CrashRow[] {
    const where = this.where(filters);
    return this.ask(
      `SELECT * FROM crashes WHERE bug = ? AND ${where.sql} ORDER BY time DESC, key LIMIT ? OFFSET ?`,
      bug,
      ...where.values,
      most,
      filters.page * most,
    ) as readonly CrashRow[];
  }

  /** Returns the crash to look at: of the last ones the newest with a whole core, else the newest. */
  representative(bug: string): CrashRow | undefined {
    const where = this.where(undefined);
    const [row] = this.ask(
      `SELECT * FROM (SELECT * FROM crashes WHERE bug = ? AND ${where.sql} ORDER BY time DESC LIMIT ${LAST_CRASHES})
        ORDER BY complete DESC, time DESC LIMIT 1`,
      bug,
      ...where.values,
    ) as readonly CrashRow[];
    return row;
  }

  /** Returns one crash; undefined where there is none that may be shown. */
  crash(key: string): CrashRow | undefined {
    const where = this.where(undefined);
    const [row] = this.ask(
      `SELECT * FROM crashes WHERE key = ? AND ${where.sql}`,
      key,
      ...where.values,
    ) as readonly CrashRow[];
    return row;
  }

  /** Returns how often each value of a column occurs, the most frequent first. */
  values(
    column: FilterColumn | "container",
    filters: Filters,
    most: number,
    bug?: string,
  ): readonly ValueCount[] {
    const where = this.where(filters);
    const ofBug = bug === undefined ? "1" : "bug = ?";
    return this.ask(
      `SELECT ${column} AS value, count(*) AS count, min(time) AS first FROM crashes
        WHERE ${ofBug} AND ${where.sql} GROUP BY ${column} ORDER BY count DESC, value LIMIT ?`,
      ...(bug === undefined ? [] : [bug]),
      ...where.values,
      most,
    ) as readonly ValueCount[];
  }

  /** Returns how many crashes a bug had on each of the days since `fromDay`. */
  daily(bug: string, fromDay: string): Map<string, number> {
    const where = this.where(undefined);
    const rows = this.ask(
      `SELECT day, count(*) AS count FROM crashes WHERE bug = ? AND day >= ? AND ${where.sql} GROUP BY day`,
      bug,
      fromDay,
      ...where.values,
    ) as readonly { day: string; count: number }[];
    return new Map(rows.map(({ day, count }) => [day, count]));
  }

  /** Returns when the oldest crash was, in seconds since the epoch. */
  oldest(): number | undefined {
    const where = this.where(undefined);
    const [row] = this.ask(
      `SELECT min(time) AS first FROM crashes WHERE ${where.sql}`,
      ...where.values,
    ) as readonly { first: number | null }[];
    return row?.first ?? undefined;
  }

  private where(filters: Filters | undefined): Where {
    // By the minute, so that one question stays the same for a while.
    const nowSeconds = Math.floor(Date.now() / KEEP_MS) * (KEEP_MS / 1000);
    return whereOf(filters, this.allowed, nowSeconds);
  }
}

/** Returns the last `count` days, the oldest first. */
export function lastDays(count: number, nowSeconds: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    dayOf(nowSeconds - (count - 1 - index) * 86_400),
  );
}
