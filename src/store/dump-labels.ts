// What an object says of the dump in it (metadata, tags, the fields of its key), read from dump-info, the
// zip's first entry. A zip that cannot be read so is delivered all the same, labelled unknown.
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { DUMP_HEAD_BYTES, parseDumpHead } from "../model/dump-head.ts";
import type { KnownInfo } from "../model/dump-info.ts";
import { fillTemplate, KEY_FIELDS, type KeyValues } from "../model/object-key.ts";

export interface DumpLabels {
  /** x-amz-meta-<name>: names of letters only (s3-headers.ts), values of printable ASCII, short. */
  metadata: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
}

/** S3 counts at most 2 KB for all metadata. */
const METADATA_MAX_CHARACTERS = 200;
/** S3: ten tags an object, 128 and 256 characters. */
const TAGS_MAX = 10;
const TAG_KEY_MAX = 128;
const TAG_VALUE_MAX = 256;

/** The dump-info of a zip, or {} where its first entry is not one. Throws only when the file cannot be read. */
export async function readDumpInfo(zipPath: string): Promise<KnownInfo> {
  const file = await open(zipPath, "r");
  try {
    const head = Buffer.alloc(DUMP_HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, DUMP_HEAD_BYTES, 0);
    return parseDumpHead(head.subarray(0, bytesRead)) ?? {};
  } finally {
    await file.close();
  }
}

/** The fields of key and tag templates. What is not known is "unknown". */
export function keyValuesOf(
  info: KnownInfo,
  { zipPath, cluster, nowMs }: { zipPath: string; cluster: string; nowMs: number },
): KeyValues {
  const crashedMs = Number(info.timestamp ?? "") * 1000;
  const sane = Number.isFinite(crashedMs) && crashedMs > 0 && crashedMs < 8e15;
  const time = new Date(sane ? crashedMs : nowMs).toISOString();
  const filled: Partial<Record<(typeof KEY_FIELDS)[number], string>> = {
    filename: basename(zipPath),
    cluster,
    node: info.node_hostname ?? "",
    namespace: info.namespace ?? "",
    podname: info.podname ?? "",
    container: info.container_name ?? "",
    hostname: info.hostname ?? "",
    exe_name: info.exe ?? "",
    signal: info.signal ?? "",
    uuid: (info.uuid ?? "") || basename(zipPath),
    timestamp: String(Math.floor(Date.parse(time) / 1000)),
    date: time.slice(0, 10),
    year: time.slice(0, 4),
    month: time.slice(5, 7),
    day: time.slice(8, 10),
    hour: time.slice(11, 13),
  };
  const entries = KEY_FIELDS.map((field) => [field, filled[field] || "unknown"]);
  return Object.fromEntries(entries) as KeyValues;
}

/** The metadata of the object, and its tags by S3_TAGS (`key=value,key={namespace}`). */
export function labelsOf(info: KnownInfo, values: KeyValues, tagTemplate: string): DumpLabels {
  const complete = info.core_complete;
  const metadata = {
    namespace: values.namespace,
    pod: values.podname,
    container: values.container,
    signal: values.signal,
    node: values.node,
    corecomplete: typeof complete === "boolean" ? String(complete) : "unknown",
  };
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata).map(([key, value]) => [key, headerText(value)]),
    ),
    tags: planTags(tagTemplate, values),
  };
}

function planTags(template: string, values: KeyValues): Record<string, string> {
  const pairs = template.split(",").flatMap((pair): [string, string][] => {
    const [key = "", ...value] = pair.split("=");
    if (key.trim() === "") return [];
    const filled = fillTemplate(value.join("=").trim(), values, tagText);
    return [[tagText(key.trim()).slice(0, TAG_KEY_MAX), filled.slice(0, TAG_VALUE_MAX)]];
  });
  return Object.fromEntries(pairs.slice(0, TAGS_MAX));
}

/** S3 tags take letters, numbers, spaces and + - = . _ : / @. */
function tagText(text: string): string {
  return text.replace(/[^A-Za-z0-9 +\-=._:/@]/gu, "_");
}

/** A header's value: printable ASCII on one line, without blanks at the ends (they would break the signature). */
function headerText(text: string): string {
  return text
    .replace(/[^\x21-\x7e ]/gu, "_")
    .slice(0, METADATA_MAX_CHARACTERS)
    .trim();
}
