// `info`: shows a person one dump: who crashed, whether it is whole, what is in it, and how to continue.
import { AppError } from "../model/app-error.ts";
import { isDeeperThan, isObject, type Json, type JsonObject } from "../model/json.ts";
import { oneLine } from "../model/printable.ts";
import { shellWord } from "../model/shell-word.ts";
import { describeOmitted } from "../model/core-content.ts";
import { formatBytes } from "../model/byte-text.ts";
import { DUMP_INFO_SUFFIX } from "../model/dump-entries.ts";
import { asKnownInfo, type KnownInfo, type DumpInfo } from "../model/dump-info.ts";
import { findEntry, readSmallEntry, type DumpZip } from "./dump-zip.ts";

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

/** The lines of the first block: a label, and the keys of dump-info that follow it. */
const LINES: readonly [label: string, keys: readonly (keyof DumpInfo)[]][] = [
  ["time", ["timestamp"]],
  ["signal", ["signal_name", "signal"]],
  ["program", ["exe", "exe_path", "path"]],
  ["pid", ["real_pid", "host_pid"]],
  ["user", ["uid", "gid"]],
  ["node", ["node_hostname"]],
  ["host name", ["hostname"]],
  ["pod", ["namespace", "podname", "pod_uid"]],
  // A guess by the host name, which the pod may have chosen.
  ["perhaps pod", ["guessed_namespace", "guessed_podname", "guessed_pod_uid"]],
  ["container", ["container_name", "container_id", "restart_count"]],
  ["image", ["image"]],
  ["found by", ["identity"]],
];

/** Writes the page. `explanation` has the lines that say why the process crashed; none where that is unknown. */
export function formatInfo(
  zip: DumpZip,
  parsed: JsonObject,
  explanation: readonly string[] = [],
): string {
  const info = asKnownInfo(parsed);
  const lines = LINES.flatMap(([label, keys]) => {
    const values = keys.map((key) => shown(key, info[key])).filter((value) => value !== "");
    return values.length === 0 ? [] : [`${label.padEnd(12)}${values.join("  ")}`];
  });
  return [
    zip.source.name,
    "",
    ...lines,
    `${"core".padEnd(12)}${completeness(info)}`,
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

function fileLines({ entries }: DumpZip): string[] {
  const lines = entries
    .slice(0, FILES_SHOWN_MAX)
    .map(({ name, sizeBytes }) => `  ${formatBytes(sizeBytes).padStart(9)}  ${name}`);
  const left = entries.length - lines.length;
  return left === 0 ? lines : [...lines, `  and ${left} more`];
}

function shown(key: string, value: unknown): string {
  if (typeof value !== "string" && typeof value !== "number") return "";
  if (key === "timestamp" && Number(value) > 0 && Number(value) < 8e12)
    return new Date(Number(value) * 1000).toISOString().replace(".000Z", "Z");
  if (key === "signal" || key === "exe_path") return value === "" ? "" : `(${value})`;
  if (key === "path") return "";
  return String(value);
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
  return missing.map(({ what, why }) => `${"missing".padEnd(12)}${what}: ${why}`);
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
