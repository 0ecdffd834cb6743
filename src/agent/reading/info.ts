// `info`: what is known of one dump, for a person: who crashed, is it whole, what is inside, how to go on.
import { oneLine } from "../../model/printable.ts";
import { formatBytes } from "../../model/byte-text.ts";
import type { LooseInfo } from "../delivery/dump-labels.ts";
import { findEntry, readSmallEntry, type DumpZip } from "./dump-zip.ts";

/** The dump-info of a dump. Throws AppError where there is none, or it is no JSON object. */
export async function readInfo(zip: DumpZip): Promise<LooseInfo> {
  const entry = findEntry(zip, "dump-info.json");
  const parsed: unknown = JSON.parse((await readSmallEntry(zip, entry)).toString("utf8"));
  return typeof parsed === "object" && parsed !== null ? (parsed as LooseInfo) : {};
}

/** The lines of the first block: a label, and which keys of dump-info stand behind it. */
const LINES: readonly [label: string, keys: readonly string[]][] = [
  ["time", ["timestamp"]],
  ["signal", ["signal_name", "signal"]],
  ["program", ["exe", "exe_path", "path"]],
  ["pid", ["real_pid", "host_pid"]],
  ["user", ["uid", "gid"]],
  ["node", ["node_hostname"]],
  ["host name", ["hostname"]],
  ["pod", ["namespace", "podname", "pod_uid"]],
  ["container", ["container_name", "container_id", "restart_count"]],
  ["image", ["image"]],
  ["found by", ["identity"]],
];

export function formatInfo(zip: DumpZip, info: LooseInfo): string {
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
    "",
    "files inside",
    ...zip.entries.map(({ name, sizeBytes }) => `  ${formatBytes(sizeBytes).padStart(9)}  ${name}`),
    "",
    ...nextSteps(zip, info),
    "",
  ]
    .map(oneLine)
    .join("\n");
}

function shown(key: string, value: unknown): string {
  if (typeof value !== "string" && typeof value !== "number") return "";
  if (key === "timestamp" && Number(value) > 0 && Number(value) < 8e12)
    return new Date(Number(value) * 1000).toISOString().replace(".000Z", "Z");
  if (key === "signal" || key === "exe_path") return value === "" ? "" : `(${value})`;
  if (key === "path") return "";
  return String(value);
}

function completeness(info: LooseInfo): string {
  const bytes = typeof info["core_bytes"] === "number" ? formatBytes(info["core_bytes"]) : "";
  if (info["core_complete"] === true) return `complete, ${bytes}`;
  if (info["core_complete"] !== false) return `${bytes}, whether it is complete cannot be told`;
  const expected = info["core_expected_bytes"];
  const of = typeof expected === "number" ? ` of ${formatBytes(expected)}` : "";
  return `cut short (${String(info["truncated_by"])}), ${bytes}${of}`;
}

function missingLines(info: LooseInfo): string[] {
  const missing: unknown[] = Array.isArray(info["missing"]) ? info["missing"] : [];
  return missing.flatMap((item) => {
    if (typeof item !== "object" || item === null || !("what" in item) || !("why" in item))
      return [];
    return [`${"missing".padEnd(12)}${String(item.what)}: ${String(item.why)}`];
  });
}

function nextSteps({ source }: DumpZip, info: LooseInfo): string[] {
  const file = shellWord(source.name);
  const exe = typeof info["exe_path"] === "string" ? ` ${shellWord(info["exe_path"])}` : " PROGRAM";
  return [
    "how to go on",
    `  core-dump-handler debug ${file}`,
    `  core-dump-handler extract ${file} --output core && gdb${exe} core`,
  ];
}

/** A word that a shell takes as it is. */
function shellWord(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
