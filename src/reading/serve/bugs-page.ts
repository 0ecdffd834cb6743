// The first page: the bugs of the store, how often each came, since when, where.
import { UNKNOWN_BUG } from "../../model/crash-index.ts";
import { html, type Html, type Value } from "../../report/html.ts";
import { cutText } from "../../report/text.ts";
import { lastDays, type BugRow, type CacheQueries } from "./cache-queries.ts";
import {
  FILTER_COLUMNS,
  formatFilters,
  ORDERS,
  type FilterColumn,
  type Filters,
  type Order,
} from "./filters.ts";
import { pager } from "./layout.ts";
import { ago, newsOf, SPARK_DAYS, sparkline } from "./when.ts";

/** How many bugs a page has. */
const BUGS_SHOWN = 50;
/** How many values of a column a filter offers, and a bug names. */
const [VALUES_OFFERED, VALUES_NAMED] = [50, 2];
const NAME_MAX_CHARACTERS = 60;
const TITLE_MAX_CHARACTERS = 160;
/** An image is new for a bug for so long after its first crash. */
const NEW_IMAGE_SECONDS = 2 * 86_400;

/** Makes the page. */
export function bugsMain(queries: CacheQueries, filters: Filters): Html {
  const nowSeconds = Date.now() / 1000;
  const { rows, bugs, crashes } = queries.bugs(filters, BUGS_SHOWN);
  const oldest = queries.oldest() ?? nowSeconds;
  return html`<h1>${counted(bugs, "bug")}, ${counted(crashes, "crash", "crashes")}</h1>
    ${filterForm(queries, filters)}
    ${
      rows.length === 0
        ? html`<p class="empty">No crash is like this. <a href="/">Show all</a></p>`
        : html`<table class="bugs">
            <thead>
              <tr>
                <th scope="col">Bug</th>
                <th scope="col" class="number">Crashes</th>
                <th scope="col">${SPARK_DAYS} days</th>
                <th scope="col">Last seen</th>
                <th scope="col">First seen</th>
                <th scope="col">Where</th>
              </tr>
            </thead>
            <tbody>
              ${rows.map((row) => bugRow(row, queries, { oldest, nowSeconds }))}
            </tbody>
          </table>`
    }
    ${pager("/", filters, (filters.page + 1) * BUGS_SHOWN < bugs)}`;
}

function bugRow(
  row: BugRow,
  queries: CacheQueries,
  when: { oldest: number; nowSeconds: number },
): Html {
  const { bug, count, first, last } = row;
  const [fromDay = ""] = lastDays(SPARK_DAYS, when.nowSeconds);
  const daily = queries.daily(bug, fromDay);
  const crash = queries.representative(bug);
  const news = newsOf(row, daily, when);
  const title = bug === UNKNOWN_BUG ? "Crashes that nobody explained" : (crash?.title ?? bug);
  return html`<tr>
    <th scope="row">
      <a href="/bug/${bug}">${cutText(title, TITLE_MAX_CHARACTERS)}</a>
      ${news !== undefined && html` <span class="badge ${news === "new" ? "new" : "back"}">${news}</span>`}
      <span class="under">${imagesOf(queries, bug, when)}</span>
    </th>
    <td class="number" data-label="Crashes">${count}</td>
    <td data-label="${SPARK_DAYS} days">${sparkline(daily, when.nowSeconds)}</td>
    <td data-label="Last seen">${ago(last, when.nowSeconds)}</td>
    <td data-label="First seen">${ago(first, when.nowSeconds)}</td>
    <td data-label="Where">${namesOf(queries, "namespace", bug)}</td>
  </tr>`;
}

/** The images, the newest first; those that are new for this bug are marked. */
function imagesOf(
  queries: CacheQueries,
  bug: string,
  { nowSeconds }: { nowSeconds: number },
): Value {
  const images = queries.values("image", ALL, VALUES_OFFERED, bug);
  const newestFirst = images
    .filter(({ value }) => value !== null)
    .toSorted((a, b) => b.first - a.first);
  const shown = newestFirst.slice(0, VALUES_NAMED).map(({ value, first }, index) => {
    const isNew = images.length > 1 && nowSeconds - first < NEW_IMAGE_SECONDS;
    const badge = isNew && html` <span class="badge new">new</span>`;
    return html`${index > 0 && ", "}${cutText(value ?? "", NAME_MAX_CHARACTERS)}${badge}`;
  });
  return html`${shown}${newestFirst.length > VALUES_NAMED && " and more"}`;
}

function namesOf(queries: CacheQueries, column: FilterColumn, bug: string): Value {
  const names = queries.values(column, ALL, VALUES_NAMED + 1, bug);
  const shown = names
    .slice(0, VALUES_NAMED)
    .map(({ value }) => cutText(value ?? "the node", NAME_MAX_CHARACTERS));
  return `${shown.join(", ")}${names.length > VALUES_NAMED ? " and more" : ""}`;
}

const ALL: Filters = { search: "", columns: {}, days: 0, order: "last", page: 0 };
const DAYS_OFFERED = [1, 7, 14, 30, 90] as const;

function filterForm(queries: CacheQueries, filters: Filters): Html {
  const columns = Object.entries(FILTER_COLUMNS) as [FilterColumn, string][];
  return html`<form class="filters" action="/" method="get" aria-label="Filters">
    ${filters.search !== "" && html`<input type="hidden" name="q" value="${filters.search}" />`}
    ${columns.map(([name, label]) => select(queries, filters, name, label))}
    <label
      >Time
      <select name="days">
        <option value="0">all</option>
        ${DAYS_OFFERED.map((days) => option(String(days), counted(days, "day"), filters.days === days))}
      </select></label
    >
    <label
      >Order
      <select name="order">
        ${(Object.keys(ORDERS) as Order[]).map((order) => option(order, ORDERS[order], filters.order === order))}
      </select></label
    >
    <button type="submit">Show</button>
    ${formatFilters(filters) !== "" && html`<a href="/">Show all</a>`}
  </form>`;
}

function select(queries: CacheQueries, filters: Filters, name: FilterColumn, label: string): Value {
  const chosen = filters.columns[name] ?? "";
  const offered = queries.values(name, ALL, VALUES_OFFERED).flatMap(({ value }) => value ?? []);
  if (offered.length === 0) return false;
  const values = chosen === "" || offered.includes(chosen) ? offered : [chosen, ...offered];
  return html`<label
    >${label}
    <select name="${name}">
      <option value="">all</option>
      ${values.map((value) => option(value, cutText(value, NAME_MAX_CHARACTERS), value === chosen))}
    </select></label
  >`;
}

function option(value: string, text: string, isChosen: boolean): Html {
  return isChosen
    ? html`<option value="${value}" selected>${text}</option>`
    : html`<option value="${value}">${text}</option>`;
}

/** Writes "1 bug", "2 bugs". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
