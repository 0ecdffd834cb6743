// `list`: lists the dumps, one line each, the oldest first. Each line comes from the dump-info at the head of the zip;
// nothing else of the zip is read.
import { oneLine } from "../model/printable.ts";
import { formatBytes } from "../model/byte-text.ts";
import { parseDumpHead } from "../model/dump-head.ts";
import type { KnownInfo } from "../model/dump-info.ts";
import type { StoredDump, StoreReader } from "../store/store-port.ts";

/** How many first bytes are read; they hold dump-info and its header. */
const HEAD_BYTES = 17 * 1024;
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
}

/** Lists the dumps of a store. Throws StoreError or AppError where it cannot be read. */
export async function listDumps(dumps: StoreReader, options: ListOptions): Promise<ListedDump[]> {
  const listed: ListedDump[] = [];
  const names = dumps.list(options.prefix);
  const reader = async () => {
    // All readers share one generator, and each takes the next name.
    for (let next = await names.next(); next.done !== true; next = await names.next()) {
      // A dump is written after its crash, so one that was stored before the moment crashed before it.
      if (next.value.modifiedMs < options.sinceMs) continue;
      const dump = describe(
        next.value,
        parseDumpHead(await dumps.head(next.value.key, HEAD_BYTES)) ?? {},
      );
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
  };
}

const HEAD = ["TIME", "POD", "EXE", "SIGNAL", "CORE", "ZIP", "COMPLETE", "FILE"];

/**
 * The longest cell, so that one dump cannot widen the column of all. A file's name is shown whole, because people copy
 * it.
 */
const CELL_MAX_CHARACTERS = 100;
const LAST_COLUMN = HEAD.length - 1;

function shownCell(cell: string, column: number): string {
  const line = oneLine(cell);
  const isLong = column !== LAST_COLUMN && line.length > CELL_MAX_CHARACTERS;
  return isLong ? `${line.slice(0, CELL_MAX_CHARACTERS - 1)}…` : line;
}

/** Writes the table for people, with columns as wide as their widest value. */
export function formatList(dumps: readonly ListedDump[]): string {
  const rows = dumps.map((dump) => [
    dump.time.replace(".000Z", "Z"),
    [dump.namespace, dump.podname, dump.container].filter((part) => part !== null).join("/") || "-",
    dump.exe || "-",
    dump.signal || "-",
    dump.core_bytes === null ? "-" : formatBytes(dump.core_bytes),
    formatBytes(dump.zip_bytes),
    dump.core_complete === null ? "unknown" : dump.core_complete ? "yes" : "no",
    dump.key,
  ]);
  const lines = [HEAD, ...rows].map((row) => row.map(shownCell));
  const widths = HEAD.map((_, column) => Math.max(...lines.map((row) => row[column]?.length ?? 0)));
  return lines
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
