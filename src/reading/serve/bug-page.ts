// One bug: its crashes, what they share, and the report of the crash to look at.
import { UNKNOWN_BUG } from "../../model/crash-index.ts";
import { html, type Html, type Value } from "../../report/html.ts";
import { cutText, fileOf } from "../../report/text.ts";
import { counted } from "./bugs-page.ts";
import { lastDays, type CacheQueries, type ValueCount } from "./cache-queries.ts";
import type { CrashRow } from "./crash-cache.ts";
import type { FilterColumn, Filters } from "./filters.ts";
import { pager } from "./layout.ts";
import { ago, newsOf, SPARK_DAYS, sparkline } from "./when.ts";
import { formatBytes } from "../../model/byte-text.ts";

const CRASHES_SHOWN = 100;
const VALUES_SHOWN = 6;
const NAME_MAX_CHARACTERS = 80;

/** What crashes of a bug may share, as the page calls it. */
const SHARED: readonly (readonly [FilterColumn | "container", string])[] = [
  ["image", "Image"],
  ["node", "Node"],
  ["namespace", "Namespace"],
  ["container", "Container"],
  ["exe", "Program"],
];

/** Makes the page; undefined where there is no such bug. `story` is the stack of its representative, if it can be had. */
export function bugMain(
  queries: CacheQueries,
  bug: string,
  filters: Filters,
  story: Value,
): Html | undefined {
  const row = queries.bug(bug);
  const crash = queries.representative(bug);
  if (row === undefined || crash === undefined) return undefined;
  const nowSeconds = Date.now() / 1000;
  const [fromDay = ""] = lastDays(SPARK_DAYS, nowSeconds);
  const daily = queries.daily(bug, fromDay);
  const oldest = queries.oldest() ?? nowSeconds;
  const news = newsOf(row, daily, { oldest, nowSeconds });
  const isUnknown = bug === UNKNOWN_BUG;
  const crashes = queries.crashes(bug, filters, CRASHES_SHOWN);
  const before = filters.page * CRASHES_SHOWN;
  return html`<h1>
      ${isUnknown ? "Crashes that nobody explained" : cutText(crash.title ?? bug, 300)}${
        news !== undefined &&
        html` <span class="badge ${news === "new" ? "new" : "back"}">${news}</span>`
      }
    </h1>
    <p class="sum">
      ${counted(row.count, "crash", "crashes")}; last ${ago(row.last, nowSeconds)}, first
      ${ago(row.first, nowSeconds)}. ${!isUnknown && html`Bug <code>${bug}</code>.`}
    </p>
    <p>${sparkline(daily, nowSeconds)}</p>
    <section aria-labelledby="share">
      <h2 id="share">What they share</h2>
      <dl>
        ${SHARED.map(([column, label]) => shared(label, queries.values(column, filters, VALUES_SHOWN + 1, bug), row.count))}
      </dl>
    </section>
    ${
      story !== undefined &&
      story !== false &&
      html`${story}
        <p class="more"><a href="${crashAddress(crash)}">The report of its clearest crash</a></p>`
    }
    <section aria-labelledby="crashes">
      <h2 id="crashes">Its crashes</h2>
      <table class="crashes">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Pod</th>
            <th scope="col">Image</th>
            <th scope="col">Node</th>
            <th scope="col" class="number">Core</th>
          </tr>
        </thead>
        <tbody>
          ${crashes.map((each) => crashRow(each, nowSeconds))}
        </tbody>
      </table>
      ${pager(`/bug/${bug}`, filters, before + crashes.length < row.count && crashes.length === CRASHES_SHOWN)}
    </section>`;
}

/** The address of a crash's page. */
export function crashAddress({ key }: { key: string }): string {
  return `/crash?key=${encodeURIComponent(key)}`;
}

function crashRow(crash: CrashRow, nowSeconds: number): Html {
  const place = [crash.namespace, crash.pod, crash.container].filter((part) => part !== null);
  const shown = place.join("/") || crash.exe || "a process of the node";
  const core = crash.core === null ? "" : formatBytes(crash.core);
  return html`<tr>
    <td data-label="When">${ago(crash.time, nowSeconds)}</td>
    <th scope="row"><a href="${crashAddress(crash)}">${cutText(shown, NAME_MAX_CHARACTERS)}</a></th>
    <td data-label="Image">${cutText(crash.image ?? "", NAME_MAX_CHARACTERS)}</td>
    <td data-label="Node">${cutText(crash.node ?? "", NAME_MAX_CHARACTERS)}</td>
    <td class="number" data-label="Core">${core}${crash.complete === 0 && " (cut)"}</td>
  </tr>`;
}

function shared(label: string, values: readonly ValueCount[], total: number): Value {
  const named = values.filter(({ value }) => value !== null);
  if (named.length === 0) return false;
  const [only] = values;
  if (values.length === 1)
    return html`<div>
      <dt>${label}</dt>
      <dd>all: ${shownValue(only?.value ?? "")}</dd>
    </div>`;
  const shown = named.slice(0, VALUES_SHOWN);
  return html`<div>
    <dt>${label}</dt>
    <dd>
      ${shown.map(({ value, count }) => html`<span class="value">${shownValue(value ?? "")} <span class="faint">${percent(count, total)}</span></span>`)}
      ${named.length > VALUES_SHOWN && html`<span class="value">and more</span>`}
    </dd>
  </div>`;
}

function shownValue(value: string): string {
  return cutText(value.startsWith("/") ? fileOf(value) : value, NAME_MAX_CHARACTERS);
}

function percent(count: number, total: number): string {
  const share = (count / Math.max(1, total)) * 100;
  return share > 0 && share < 1 ? "<1 %" : `${Math.round(share)} %`;
}
