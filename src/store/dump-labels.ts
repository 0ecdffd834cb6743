// What an object says of the dump in it (metadata, tags, the fields of its key), read from dump-info, the
// zip's first entry. A zip that cannot be read so is delivered all the same, labelled unknown.
import { constants, inflateRawSync } from "node:zlib";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { fillTemplate, KEY_FIELDS, type KeyValues } from "../model/object-key.ts";

export interface DumpLabels {
  /** x-amz-meta-<name>: names of letters only (s3-headers.ts), values of printable ASCII, short. */
  metadata: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
}

/** dump-info with unknown keys and unknown types: the file on the disk is not ours to trust. */
export type LooseInfo = Readonly<Record<string, unknown>>;

const HEAD_BYTES = 96 * 1024;
const INFO_MAX_BYTES = 1 << 20;
const LOCAL_HEADER = 0x04034b50;
/** A data descriptor, and the next local header. */
const SIGNATURES = ["PK\x07\x08", "PK\x03\x04"];
const STORED = 0;
const DEFLATED = 8;
/** S3 counts at most 2 KB for all metadata. */
const METADATA_MAX_CHARACTERS = 200;
/** S3: ten tags an object, 128 and 256 characters. */
const TAGS_MAX = 10;
const TAG_KEY_MAX = 128;
const TAG_VALUE_MAX = 256;

/** The dump-info of a zip, or {} where its first entry is not one. Throws only when the file cannot be read. */
export async function readDumpInfo(zipPath: string): Promise<LooseInfo> {
  const file = await open(zipPath, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    return parseFirstEntry(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** Parses the first local entry (APPNOTE 4.3.7) if it is a dump-info; {} for anything else. */
export function parseFirstEntry(head: Buffer): LooseInfo {
  if (head.length < 30 || head.readUInt32LE(0) !== LOCAL_HEADER) return {};
  const method = head.readUInt16LE(8);
  const packedBytes = head.readUInt32LE(18);
  const nameEnd = 30 + head.readUInt16LE(26);
  const dataStart = nameEnd + head.readUInt16LE(28);
  if (!head.toString("latin1", 30, nameEnd).endsWith("-dump-info.json")) return {};
  try {
    const parsed: unknown = JSON.parse(unpack(head.subarray(dataStart), method, packedBytes));
    return typeof parsed === "object" && parsed !== null ? (parsed as LooseInfo) : {};
  } catch {
    // Cut short, encrypted, no JSON: the dump goes without labels rather than not at all.
    return {};
  }
}

function unpack(data: Buffer, method: number, packedBytes: number): string {
  if (method === STORED) return data.toString("utf8", 0, storedLength(data, packedBytes));
  if (method !== DEFLATED) throw new Error(`method ${method}`);
  // The packed size may stand after the data only; deflate knows its own end, and what follows is ignored.
  return inflateRawSync(data, {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: INFO_MAX_BYTES,
  }).toString("utf8");
}

/**
 * Where a stored entry ends whose size stands after it (0) or in a ZIP64 field (2³² - 1): JSON holds no raw
 * control character, so the next signature is never a part of it.
 */
function storedLength(data: Buffer, packedBytes: number): number {
  if (packedBytes !== 0 && packedBytes !== 0xffffffff) return packedBytes;
  const ends = SIGNATURES.map((signature) => data.indexOf(signature)).filter((at) => at >= 0);
  return Math.min(data.length, ...ends);
}

/** The fields of key and tag templates. What is not known is "unknown". */
export function keyValuesOf(
  info: LooseInfo,
  { zipPath, cluster, nowMs }: { zipPath: string; cluster: string; nowMs: number },
): KeyValues {
  const crashedMs = Number(textOf(info["timestamp"])) * 1000;
  const sane = Number.isFinite(crashedMs) && crashedMs > 0 && crashedMs < 8e15;
  const time = new Date(sane ? crashedMs : nowMs).toISOString();
  const filled: Partial<Record<(typeof KEY_FIELDS)[number], string>> = {
    filename: basename(zipPath),
    cluster,
    node: textOf(info["node_hostname"]),
    namespace: textOf(info["namespace"]),
    podname: textOf(info["podname"]),
    container: textOf(info["container_name"]),
    hostname: textOf(info["hostname"]),
    exe_name: textOf(info["exe"]),
    signal: textOf(info["signal"]),
    uuid: textOf(info["uuid"]) || basename(zipPath),
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
export function labelsOf(info: LooseInfo, values: KeyValues, tagTemplate: string): DumpLabels {
  const complete = info["core_complete"];
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

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
