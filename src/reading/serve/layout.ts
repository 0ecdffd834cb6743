// The frame of every page: title, search, where the store is and how fresh what is shown is.
import { html, type Html, type Value } from "../../report/html.ts";
import { formatFilters, type Filters } from "./filters.ts";
import type { SyncState } from "./store-sync.ts";

/** What the frame shows beside the page itself. */
export interface Frame {
  title: string;
  /** The store's name. */
  store: string;
  sync: SyncState;
  crashes: number;
  filters?: Filters;
  /** The namespaces that this server shows; empty is all. */
  allowed: readonly string[];
  main: Html;
}

/** How soon a page that is still being filled is loaded again, in seconds. */
const LOADING_SECONDS = 2;

/** Makes a page. */
export function layout({ title, store, sync, crashes, filters, allowed, main }: Frame): Html {
  const isLoading = sync.isFirst && sync.isRunning;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        ${isLoading && html`<meta http-equiv="refresh" content="${LOADING_SECONDS}" />`}
        <title>${title}</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="data:," />
        <script src="/page.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <nav aria-label="Site">
          <a class="home" href="/">Crashes</a>
          <form role="search" action="/" method="get">
            <label for="q">Search</label>
            <input
              id="q"
              name="q"
              type="search"
              value="${filters?.search ?? ""}"
              placeholder="title, program, pod, bug"
            />
            <button type="submit">Search</button>
          </form>
        </nav>
        <main id="main" tabindex="-1">${notice(sync, isLoading, crashes)}${main}</main>
        <footer>
          ${store}${allowed.length > 0 && html`, namespaces ${allowed.join(", ")}`}.
          ${freshness(sync)}
        </footer>
      </body>
    </html> `;
}

function notice(sync: SyncState, isLoading: boolean, crashes: number): Value {
  if (sync.failure !== undefined)
    return html`<p class="notice" role="alert">
      The store could not be read: ${sync.failure}. What follows is from before.
    </p>`;
  if (!isLoading) return false;
  return html`<p class="notice" role="status">Reading the store: ${crashes} crashes so far.</p>`;
}

function freshness({ endedMs, notIndexed }: SyncState): Value {
  if (endedMs === undefined) return "The store has not been read yet.";
  const at = new Date(endedMs).toISOString();
  const hint =
    notIndexed > 100 &&
    ` ${notIndexed} dumps are not in the store's index: core-dump-handler index rebuild makes it.`;
  return html`Read on
    <time datetime="${at}">${at.slice(0, 19).replace("T", " ")} UTC</time>.${hint}`;
}

/** Makes links to the pages before and after, where there are any. */
export function pager(path: string, filters: Filters, hasNext: boolean): Value {
  const { page } = filters;
  if (page === 0 && !hasNext) return false;
  return html`<nav class="pager" aria-label="Pages">
    ${page > 0 && html`<a rel="prev" href="${path}${formatFilters(filters, { page: page - 1 })}">Newer</a>`}
    <span>Page ${page + 1}</span>
    ${hasNext && html`<a rel="next" href="${path}${formatFilters(filters, { page: page + 1 })}">Older</a>`}
  </nav>`;
}

/** Makes a page that says one thing: why there is no other. */
export function problemMain(title: string, text: string, hint = ""): Html {
  return html`<section class="problem">
    <h1>${title}</h1>
    <p>${text}</p>
    ${hint !== "" && html`<p>${hint}</p>`}
    <p><a href="/">All crashes</a></p>
  </section>`;
}
