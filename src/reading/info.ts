// `info`: shows a person one dump: who crashed, whether it is whole, what is in it, and how to continue.
import { AppError } from "../model/app-error.ts";
import { isDeeperThan, isObject, type Json, type JsonObject } from "../model/json.ts";
import { oneLine } from "../model/printable.ts";
import { shellWord } from "../model/shell-word.ts";
import { describeOmitted } from "../model/core-content.ts";
import { formatBytes } from "../model/byte-text.ts";
import { DUMP_INFO_SUFFIX } from "../model/dump-entries.ts";
import { asKnownInfo, type KnownInfo } from "../model/dump-info.ts";
import { parseCoreNotes } from "../model/core-notes.ts";
import { parseDumpHead } from "../model/dump-head.ts";
import { findEntry, readEntry, readSmallEntry, type DumpZip } from "./dump-zip.ts";
import { labelled, whoLines } from "./info-lines.ts";

/** The longest dump-info that is read; the composer's have at most 16 KiB. */
const INFO_MAX_BYTES = 1 << 20;
const INFO_MAX_DEPTH = 16;
const FILES_SHOWN_MAX = 200;

/**
 * Reads the dump-info of a dump. Throws AppError where there is none, or where it is no JSON object of plain values.
 */
export async function readInfo(zip: DumpZip): Promise<JsonObject> {
  const entry = findEntry(zip, DUMP_INFO_SUFFIX.slice(1));
  const refused = (problem: string, cause?: unknown) =>
    new AppError("archive", `${entry.name} in ${zip.source.name} ${problem}`, { cause });
  if (entry.sizeBytes > INFO_MAX_BYTES) throw refused(`has ${entry.sizeBytes} bytes`);
  const json = (await readSmallEntry(zip, entry)).toString("utf8");
  let parsed: Json;
  try {
    parsed = JSON.parse(json) as Json;
  } catch (cause) {
    throw refused("is no JSON", cause);
  }
  if (!isObject(parsed) || isDeeperThan(parsed, INFO_MAX_DEPTH))
    throw refused("is no JSON object of a dump-info's form");
  return parsed;
}

/** What the page is made of, beside dump-info. */
export interface InfoParts {
  /** The lines that say why the process crashed; none where that is unknown. */
  explanation?: readonly string[];
  /** The command line; null where it is not known, or not to be shown. */
  command?: string | null;
  nowMs?: number;
}

/** Writes the page. */
export function formatInfo(
  zip: DumpZip,
  parsed: JsonObject,
  { explanation = [], command = null, nowMs = Date.now() }: InfoParts = {},
): string {
  const info = asKnownInfo(parsed);
  return [
    zip.source.name,
    "",
    ...whoLines({ info, command, nowMs }),
    labelled("core", completeness(info)),
    ...missingLines(info),
    ...(explanation.length === 0 ? [] : ["", ...explanation]),
    "",
    "files inside",
    ...fileLines(zip),
    "",
    ...nextSteps(zip, info),
    "",
  ]
    .map(oneLine)
    .join("\n");
}

/** The core's first bytes that hold its notes of the process. */
const NOTES_MAX_BYTES = 256 << 10;

/**
 * Reads the command line out of the core. null where there is none, and for a process that was not dumpable, whose
 * arguments its users were not to see.
 */
export async function readCommand(zip: DumpZip, { dumpable }: KnownInfo): Promise<string | null> {
  const core = zip.entries.find(({ name }) => name.endsWith(".core"));
  if (core === undefined || (dumpable ?? 1) !== 1) return null;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of readEntry(zip, core)) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= NOTES_MAX_BYTES) break;
    }
  } catch (error) {
    // What there is of a damaged core may hold the notes all the same.
    if (!(error instanceof AppError)) throw error;
  }
  return parseCoreNotes(Buffer.concat(chunks)).args || null;
}

/**
 * Writes the page of a zip whose end is missing, from its first bytes. Throws AppError "archive" where they hold no
 * dump-info.
 */
export function formatTornInfo(
  name: string,
  sizeBytes: number,
  head: Buffer,
  cause: unknown,
): string {
  const info = parseDumpHead(head);
  if (info === undefined) throw cause;
  return [
    name,
    "",
    ...whoLines({ info, command: null, nowMs: Date.now() }),
    labelled("core", completeness(info)),
    labelled("zip", `torn: its end is missing, ${formatBytes(sizeBytes)} are there`),
    "",
    "how to go on",
    "  Fetch or copy the zip again: core-dump-handler fetch goes on where it was cut off.",
    "  Where this is all there is, `zip -FF torn.zip --out mended.zip` or 7z may save its first entries.",
    "",
  ]
    .map(oneLine)
    .join("\n");
}

function fileLines({ entries }: DumpZip): string[] {
  const lines = entries
    .slice(0, FILES_SHOWN_MAX)
    .map(({ name, sizeBytes }) => `  ${formatBytes(sizeBytes).padStart(9)}  ${name}`);
  const left = entries.length - lines.length;
  return left === 0 ? lines : [...lines, `  and ${left} more`];
}

function completeness(info: KnownInfo): string {
  const omitted = describeOmitted(info);
  return omitted === "" ? size(info) : `${size(info)}; ${omitted}`;
}

function size({
  core_bytes: bytes,
  core_complete: complete,
  core_expected_bytes: expected,
  truncated_by: by,
}: KnownInfo): string {
  const text = bytes === undefined ? "" : formatBytes(bytes);
  if (complete === true) return `complete, ${text}`;
  if (complete !== false) return `${text}, whether it is complete cannot be told`;
  if (by === "known_bug") return "left out: its bug has left whole dumps already (known_bug)";
  const of = typeof expected === "number" ? ` of ${formatBytes(expected)}` : "";
  return `cut short (${by ?? "nobody knows by what"}), ${text}${of}`;
}

function missingLines({ missing = [] }: KnownInfo): string[] {
  return missing.map(({ what, why }) => labelled("missing", `${what}: ${why}`));
}

function nextSteps({ source }: DumpZip, info: KnownInfo): string[] {
  const file = shellWord(source.name.startsWith("-") ? `./${source.name}` : source.name);
  if (info.core_bytes === 0 && info.truncated_by === "known_bug")
    return [
      "how to go on",
      `  core-dump-handler explain ${file}`,
      `  core-dump-handler list --by bug --json    names a dump of bug ${oneLine(info.bug ?? "")} with a core`,
    ];
  return [
    "how to go on",
    `  core-dump-handler explain ${file}`,
    `  core-dump-handler debug ${file}`,
    `  core-dump-handler extract ${file} --output core && gdb -iex 'set auto-load off' ${programWord(info)} core`,
  ];
}

/**
 * Returns the crashed program's path for a command line. An absolute path cannot be an option. A text that oneLine
 * changes is no path.
 */
function programWord({ exe_path: path }: KnownInfo): string {
  const isPath = typeof path === "string" && path.startsWith("/") && oneLine(path) === path;
  return isPath ? shellWord(path) : "PROGRAM";
}
