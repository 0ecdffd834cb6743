// `list`: lists the dumps, one line each, the oldest first. Each line comes from the store's index, else from the
// dump-info at the head of the zip; nothing else of the zip is read.
import { dayOf } from "../model/crash-index.ts";
import { formatBytes } from "../model/byte-text.ts";
import type { KnownInfo } from "../model/dump-info.ts";
import { factsBy, readHead, readIndex } from "./crash-index.ts";
import type { StoredDump, StoreReader } from "../store/store-port.ts";
import { formatTable } from "./text-table.ts";

/** How many heads are read at once, because a store answers many small requests faster side by side. */
const READERS = 8;

/** Which dumps to list. */
export interface ListOptions {
  prefix: string;
  /** Leaves out crashes before this moment, in ms since the epoch; 0 keeps all. */
  sinceMs: number;
  /** The namespace to list; "" keeps all. */
  namespace: string;
}

/** One line of the list. */
export interface ListedDump {
  key: string;
  zip_bytes: number;
  time: string;
  namespace: string | null;
  podname: string | null;
  container: string | null;
  exe: string;
  signal: string;
  core_bytes: number | null;
  core_complete: boolean | null;
  /** Why it crashed, in one line, and which bug it is; null where no summary was made. */
  title: string | null;
  bug: string | null;
}

/**
 * Lists the dumps of a store. `indexPrefix` is where the store's index stands; without it the dumps themselves are read.
 * Throws StoreError or AppError where it cannot be read.
 */
export async function listDumps(
  dumps: StoreReader,
  options: ListOptions,
  indexPrefix = "",
): Promise<ListedDump[]> {
  const listed: ListedDump[] = [];
  const factsOf =
    indexPrefix === ""
      ? (key: string) => readHead(dumps, key)
      : factsBy(await readIndex(dumps, indexPrefix, dayOf(options.sinceMs / 1000)), dumps);
  const names = dumps.list(options.prefix, indexPrefix === "" ? undefined : indexPrefix);
  const reader = async () => {
    // All readers share one generator, and each takes the next name.
    for (let next = await names.next(); next.done !== true; next = await names.next()) {
      // A dump is written after its crash, so one that was stored before the moment crashed before it.
      if (next.value.modifiedMs < options.sinceMs) continue;
      const dump = describe(next.value, await factsOf(next.value.key));
      if (isWanted(dump, options)) listed.push(dump);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return listed.sort((a, b) => a.time.localeCompare(b.time) || a.key.localeCompare(b.key));
}

function isWanted(dump: ListedDump, { sinceMs, namespace }: ListOptions): boolean {
  if (namespace !== "" && dump.namespace !== namespace) return false;
  return Date.parse(dump.time) >= sinceMs;
}

function describe({ key, sizeBytes, modifiedMs }: StoredDump, info: KnownInfo): ListedDump {
  const crashedMs = Number(info.timestamp ?? Number.NaN) * 1000;
  const timeMs = crashedMs > 0 && crashedMs < 8e15 ? crashedMs : modifiedMs;
  return {
    key,
    zip_bytes: sizeBytes,
    time: new Date(timeMs).toISOString(),
    namespace: info.namespace ?? null,
    podname: info.podname ?? null,
    container: info.container_name ?? null,
    exe: info.exe ?? "",
    signal: info.signal_name ?? info.signal ?? "",
    core_bytes: info.core_bytes ?? null,
    core_complete: info.core_complete ?? null,
    title: info.title ?? null,
    bug: info.bug ?? null,
  };
}

const HEAD = ["TIME", "POD", "EXE", "SIGNAL", "CORE", "ZIP", "COMPLETE", "TITLE", "FILE"];

/** Writes the table for people; columns is the terminal's width, undefined where there is none. */
export function formatList(dumps: readonly ListedDump[], columns?: number): string {
  const rows = dumps.map((dump) => [
    shortTime(dump.time),
    [dump.namespace, dump.podname, dump.container].filter((part) => part !== null).join("/") || "-",
    dump.exe || "-",
    dump.signal || "-",
    dump.core_bytes === null ? "-" : formatBytes(dump.core_bytes),
    formatBytes(dump.zip_bytes),
    dump.core_complete === null ? "unknown" : dump.core_complete ? "yes" : "no",
    dump.title || "-",
    dump.key,
  ]);
  const [elastic, whole] = [HEAD.indexOf("TITLE"), HEAD.indexOf("FILE")];
  return formatTable(rows, { head: HEAD, elastic, whole, columns });
}

/** ISO 8601 without the milliseconds, which crashes do not have. */
export function shortTime(time: string): string {
  return time.replace(".000Z", "Z");
}
