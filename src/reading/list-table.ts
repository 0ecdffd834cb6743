// `list` for people: one line a dump. In a terminal that is too narrow columns go, the least important first, and
// files are shown by as many of their first characters as tell them apart, which every command takes for the name.
import { basename } from "node:path";
import { formatBytes } from "../model/byte-text.ts";
import type { ListedDump } from "./list.ts";
import { formatTable } from "./text-table.ts";

/** How the table is wanted. */
export interface ListLayout {
  /** The terminal's width; undefined where the output is no terminal. */
  columns: number | undefined;
  /** Whether to show every column, and files by their whole names. */
  wide: boolean;
  heading: boolean;
}

const HEAD = ["TIME", "POD", "EXE", "PID", "SIGNAL", "CORE", "ZIP", "STATE", "TITLE", "FILE"];
/** What gives way in a narrow terminal, in this order. */
const LEAST_IMPORTANT_FIRST = ["ZIP", "CORE", "SIGNAL", "STATE", "POD", "TITLE"];
const at = (name: string) => HEAD.indexOf(name);

/** Writes the table. */
export function formatList(
  dumps: readonly ListedDump[],
  { columns, wide, heading }: ListLayout = { columns: undefined, wide: false, heading: true },
): string {
  const rows = dumps.map((dump) => rowOf(dump, dump.key));
  const short = shortNames(dumps.map(({ key }) => key));
  const layout = {
    head: HEAD,
    heading,
    elastic: at("TITLE"),
    whole: at("FILE"),
    columns: wide ? undefined : columns,
    hidden: wide ? [] : [at("PID")],
    droppable: LEAST_IMPORTANT_FIRST.map(at),
  };
  if (layout.columns === undefined) return formatTable(rows, layout);
  const widest = Math.max(0, ...dumps.map(({ key }) => key.length));
  // A third of the line is for the name; a longer one would leave no room for what it is about.
  if (widest * 3 <= layout.columns) return formatTable(rows, layout);
  return formatTable(
    dumps.map((dump, index) => rowOf(dump, short[index] ?? dump.key)),
    layout,
  );
}

function rowOf(dump: ListedDump, name: string): string[] {
  const pod = [dump.namespace, dump.podname, dump.container_name].filter((part) => part !== null);
  return [
    shortTime(dump.time),
    pod.join("/") || "-",
    dump.exe || "-",
    dump.real_pid ?? "-",
    dump.signal_name || "-",
    dump.core_bytes === null ? "-" : formatBytes(dump.core_bytes),
    formatBytes(dump.zip_bytes),
    dump.state,
    dump.title || "-",
    name,
  ];
}

const SHORT_NAME_CHARACTERS = 8;

/**
 * Returns for each key as many first characters of its file's name as no other name begins with; the whole key where
 * there are none.
 */
export function shortNames(keys: readonly string[]): string[] {
  const names = keys.map((key) => basename(key));
  const short: (string | undefined)[] = names.map(() => undefined);
  const longest = Math.max(0, ...names.map((name) => name.length));
  for (let length = SHORT_NAME_CHARACTERS; length < longest; length += 4) {
    const counts = new Map<string, number>();
    for (const name of names) {
      const begin = name.slice(0, length);
      counts.set(begin, (counts.get(begin) ?? 0) + 1);
    }
    for (const [index, name] of names.entries())
      if (name.length > length && counts.get(name.slice(0, length)) === 1)
        short[index] ??= name.slice(0, length);
  }
  return keys.map((key, index) => short[index] ?? key);
}

/** ISO 8601 without milliseconds, which crashes do not have. */
export function shortTime(time: string): string {
  return time.replace(/\.\d+Z$/, "Z");
}
