// What a page shows, as it stands in the address: search words, filters, order and page. An address can be shared.

/** The columns that can be filtered by, and their names for people. */
export const FILTER_COLUMNS = {
  namespace: "Namespace",
  image: "Image",
  node: "Node",
  exe: "Program",
  signal: "Signal",
} as const;

/** One of FILTER_COLUMNS. */
export type FilterColumn = keyof typeof FILTER_COLUMNS;

/** How bugs are ordered. */
export const ORDERS = { last: "last seen", count: "most crashes", first: "first seen" } as const;
/** One of ORDERS. */
export type Order = keyof typeof ORDERS;

/** Which crashes a page is about. */
export interface Filters {
  /** Words that stand in title, program, pod or bug. */
  search: string;
  columns: Readonly<Partial<Record<FilterColumn, string>>>;
  /** Crashes of the last days; 0 is all. */
  days: number;
  order: Order;
  /** From 0. */
  page: number;
}

const TEXT_MAX_CHARACTERS = 200;
const DAYS_MAX = 3650;
const PAGE_MAX = 100_000;

/** Reads the query of an address. What makes no sense counts as not given. */
export function parseFilters(query: URLSearchParams): Filters {
  const text = (name: string) => (query.get(name) ?? "").slice(0, TEXT_MAX_CHARACTERS);
  const whole = (name: string, most: number) =>
    /^\d{1,6}$/.test(query.get(name) ?? "") ? Math.min(Number(query.get(name)), most) : 0;
  const names = Object.keys(FILTER_COLUMNS) as FilterColumn[];
  const order = query.get("order") ?? "";
  return {
    search: text("q").trim(),
    columns: Object.fromEntries(
      names.flatMap((name) => (text(name) === "" ? [] : [[name, text(name)]])),
    ),
    days: whole("days", DAYS_MAX),
    order: Object.hasOwn(ORDERS, order) ? (order as Order) : "last",
    page: whole("page", PAGE_MAX),
  };
}

/** Writes the query of an address, "?…" or "", with some of it changed. */
export function formatFilters(filters: Filters, changes: Partial<Filters> = {}): string {
  const { search, columns, days, order, page } = { ...filters, ...changes };
  const query = new URLSearchParams();
  if (search !== "") query.set("q", search);
  for (const [name, value] of Object.entries(columns)) if (value) query.set(name, value);
  if (days > 0) query.set("days", String(days));
  if (order !== "last") query.set("order", order);
  if (page > 0) query.set("page", String(page));
  return query.size === 0 ? "" : `?${query.toString()}`;
}
