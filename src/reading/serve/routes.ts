// From a request to a page. Every answer is a page or a file; whatever goes wrong becomes one clear page.
import { AppError, describeError } from "../../model/app-error.ts";
import { portableFileName } from "../../model/portable-name.ts";
import { within } from "../../host/timer.ts";
import type { Html, Value } from "../../report/html.ts";
import { stackSection } from "../../report/stack-section.ts";
import { LIMITS } from "../../report/crash-report.ts";
import { answerModule } from "../../store/module-answer.ts";
import { StoreError } from "../../store/store-error.ts";
import type { StoreReader } from "../../store/store-port.ts";
import { basename } from "node:path";
import { bugsMain } from "./bugs-page.ts";
import { bugMain } from "./bug-page.ts";
import { CacheQueries } from "./cache-queries.ts";
import type { CrashCache } from "./crash-cache.ts";
import { crashMain } from "./crash-page.ts";
import { openDump, openEntry, readContents } from "./dump-contents.ts";
import { parseFilters, type Filters } from "./filters.ts";
import { isOwnHost } from "./host-check.ts";
import { layout, problemMain } from "./layout.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { PAGE_STYLE } from "./page-style.ts";
import type { StoreSync } from "./store-sync.ts";

/** What the pages are made of. */
export interface Site {
  store: StoreReader;
  cache: CrashCache;
  sync: StoreSync;
  /** The namespaces that may be shown; empty is all. */
  allowed: readonly string[];
  /** Where the store's modules stand. */
  modulesPrefix: string;
  limits: SiteLimits;
}

/** How long things may take, in ms, and how many may be under way. */
export interface SiteLimits {
  /** The longest that a page waits for the store's news. */
  newsMs: number;
  /** The longest that a page waits for a dump. */
  dumpMs: number;
  /** Requests that read a dump at once. */
  readers: number;
}

/** The usual limits. */
export const SITE_LIMITS: SiteLimits = { newsMs: 2_000, dumpMs: 20_000, readers: 16 };

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
} as const;

/** Makes the function that answers requests. It never throws. */
export function openSite(site: Site): (request: Request) => Promise<Response> {
  const queries = new CacheQueries(site.cache, site.allowed);
  let reading = 0;
  /** Runs what reads a dump, in time and not too often at once. */
  const fromStore = async <T>(work: () => Promise<T>): Promise<T> => {
    if (reading >= site.limits.readers)
      throw new Problem(503, "Too many pages at once", "Others are reading dumps; try again soon.");
    reading++;
    const done = work().finally(() => reading--);
    const late = () => {
      throw new Problem(
        504,
        "The store is slow",
        `It gave no dump within ${site.limits.dumpMs / 1000} s.`,
      );
    };
    done.catch(() => undefined);
    return within(done, site.limits.dumpMs, late);
  };
  const context: Context = { site, queries, fromStore };
  return async (request) => {
    try {
      return await answer(request, context);
    } catch (error) {
      return problemPage(error, context);
    }
  };
}

interface Context {
  site: Site;
  queries: CacheQueries;
  fromStore: <T>(work: () => Promise<T>) => Promise<T>;
}

/** A page that is none. */
class Problem extends Error {
  readonly status: number;
  readonly title: string;

  constructor(status: number, title: string, text: string) {
    super(text);
    this.status = status;
    this.title = title;
  }
}

const BUG_PATH = /^\/bug\/([0-9a-f]{16}|unknown)$/;

async function answer(request: Request, context: Context): Promise<Response> {
  if (!isOwnHost(request.headers.get("host")))
    return new Response(
      "This server answers to localhost and 127.0.0.1 only. A proxy has to send one of them as Host.\n",
      { status: 421, headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" } },
    );
  if (request.method !== "GET" && request.method !== "HEAD")
    throw new Problem(405, "This page can only be read", "GET and HEAD are all it answers to.");
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/style.css") return asset(PAGE_STYLE, "text/css");
  if (pathname === "/page.js") return asset(PAGE_SCRIPT, "text/javascript");
  const module = await moduleFile(request.method, pathname, context.site);
  if (module !== undefined) return module;
  const filters = parseFilters(searchParams);
  await refresh(context);
  if (pathname === "/")
    return page(context, "Crashes", bugsMain(context.queries, filters), filters);
  const bug = BUG_PATH.exec(pathname)?.[1];
  if (bug !== undefined) return bugPage(bug, filters, context);
  const key = searchParams.get("key") ?? "";
  switch (pathname) {
    case "/crash":
      return crashPage(known(key, context), context);
    case "/dump":
      return dumpFile(known(key, context), context);
    case "/file":
      return entryFile(known(key, context), searchParams.get("name") ?? "", context);
    default:
      throw new Problem(404, "There is no such page", "The address may be old, or mistyped.");
  }
}

/**
 * A program or library by its build-id, for debuggers (DEBUGINFOD_URLS). They are of no namespace, so a server of some
 * namespaces gives none.
 */
async function moduleFile(
  method: string,
  pathname: string,
  { store, allowed, modulesPrefix }: Site,
): Promise<Response | undefined> {
  if (!pathname.startsWith("/buildid/") || allowed.length > 0) return undefined;
  return answerModule({ method, pathname }, store, modulesPrefix);
}

/** Throws where nothing at all is known yet and the store cannot be read. */
async function refresh({ site: { sync, cache, limits } }: Context): Promise<void> {
  await sync.refresh(limits.newsMs);
  const { failure } = sync.state;
  if (failure !== undefined && cache.count() === 0)
    throw new Problem(502, "The store cannot be read", failure);
}

/** A key that no crash has is refused before the store is asked: nothing else of it can be read through here. */
function known(key: string, { queries }: Context): string {
  if (queries.crash(key) === undefined)
    throw new Problem(
      404,
      "There is no such crash",
      "Its dump may have been deleted, or the store was not read yet.",
    );
  return key;
}

async function bugPage(bug: string, filters: Filters, context: Context): Promise<Response> {
  const { site, queries } = context;
  const crash = queries.representative(bug);
  const story = crash === undefined ? undefined : await storyOf(crash.key, site, context);
  const main = bugMain(queries, bug, filters, story);
  if (main === undefined)
    throw new Problem(404, "There is no such bug", "Its dumps may have been deleted.");
  return page(context, crash?.title ?? bug, main, filters);
}

/** The stack of a crash; undefined where the store does not give it. */
async function storyOf(key: string, site: Site, { fromStore }: Context): Promise<Value> {
  try {
    const { crash } = await fromStore(() => readContents(site.store, key));
    return crash.summary === undefined ? undefined : stackSection(crash, LIMITS[1]);
  } catch {
    // The page says what the cache knows.
    return undefined;
  }
}

async function crashPage(key: string, context: Context): Promise<Response> {
  const { site, queries, fromStore } = context;
  const { crash, entries } = await fromStore(() => readContents(site.store, key));
  mayShow(crash.info.namespace, site);
  const bug = queries.crash(key)?.bug ?? "unknown";
  return page(context, crash.summary?.title ?? "Crash", crashMain(crash, bug, entries));
}

/** The index may be wrong about a namespace, or forged: what the dump itself says decides. */
function mayShow(namespace: string | null | undefined, { allowed }: Site): void {
  if (allowed.length > 0 && !allowed.includes(namespace ?? ""))
    throw new Problem(
      404,
      "There is no such crash",
      "Its dump is of a namespace that is not shown here.",
    );
}

async function dumpFile(key: string, { site, fromStore }: Context): Promise<Response> {
  await checkNamespace(key, site, fromStore);
  const { sizeBytes, body } = await fromStore(() => openDump(site.store, key));
  return download(body, sizeBytes, basename(key));
}

async function entryFile(
  key: string,
  name: string,
  { site, fromStore }: Context,
): Promise<Response> {
  await checkNamespace(key, site, fromStore);
  const { sizeBytes, body } = await fromStore(() => openEntry(site.store, key, name));
  return download(body, sizeBytes, name);
}

async function checkNamespace(
  key: string,
  site: Site,
  fromStore: Context["fromStore"],
): Promise<void> {
  if (site.allowed.length === 0) return;
  const { crash } = await fromStore(() => readContents(site.store, key));
  mayShow(crash.info.namespace, site);
}

/** A file is saved and never shown: what is in it is the crashed program's. */
function download(body: ReadableStream<Uint8Array>, sizeBytes: number, name: string): Response {
  return new Response(body, {
    headers: {
      ...HEADERS,
      "content-type": "application/octet-stream",
      "content-length": String(sizeBytes),
      "content-disposition": `attachment; filename="${portableFileName(name)}"`,
    },
  });
}

function page(
  { site }: Context,
  title: string,
  main: Html,
  filters?: Filters,
  status = 200,
): Response {
  const { store, sync, cache, allowed } = site;
  const frame = {
    title,
    store: store.name,
    sync: sync.state,
    crashes: cache.count(),
    allowed,
    main,
  };
  const { text } = layout({ ...frame, ...(filters === undefined ? {} : { filters }) });
  return new Response(text, {
    status,
    headers: { ...HEADERS, "content-type": "text/html; charset=utf-8" },
  });
}

function asset(text: string, type: string): Response {
  const headers = { ...HEADERS, "content-type": `${type}; charset=utf-8` };
  return new Response(text, { headers: { ...headers, "cache-control": "no-cache" } });
}

function problemPage(error: unknown, context: Context): Response {
  const { status, title, text, hint } = describeProblem(error);
  return page(context, title, problemMain(title, text, hint), undefined, status);
}

function describeProblem(error: unknown): {
  status: number;
  title: string;
  text: string;
  hint?: string;
} {
  if (error instanceof Problem)
    return { status: error.status, title: error.title, text: error.message };
  if (error instanceof StoreError)
    return { status: 502, title: "The store did not give it", text: describeError(error) };
  if (error instanceof AppError)
    return { status: 404, title: "This dump cannot be shown", text: describeError(error) };
  return { status: 500, title: "Something went wrong here", text: describeError(error) };
}
