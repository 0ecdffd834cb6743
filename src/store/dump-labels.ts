// Makes what describes a dump without opening it (facts, tags, the fields of its key) from dump-info, the zip's first
// entry. A zip without a readable dump-info is labelled "unknown". The crashed process may have chosen the values, so
// each adapter reduces them to what its store accepts.
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { DUMP_HEAD_BYTES, parseDumpHead } from "../model/dump-head.ts";
import type { KnownInfo } from "../model/dump-info.ts";
import { fillTemplate, KEY_FIELDS, type KeyValues } from "../model/object-key.ts";

/** An object's labels. */
export interface DumpLabels {
  /** Facts about the crash. Their names have only lower-case letters, which every store takes. */
  facts: Readonly<Record<string, string>>;
  /** The owner's tags, from STORE_TAGS. */
  tags: Readonly<Record<string, string>>;
}

/**
 * Reads the dump-info of a zip; {} where the first entry is none. Throws the system's error only when the file cannot
 * be read.
 */
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

/** Returns the values for key and tag templates; an unknown value is "unknown". */
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
    fingerprint: info.bug ?? "",
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

/** Returns the facts, and the tags by a template (`key=value,key={namespace}`). */
export function labelsOf(info: KnownInfo, values: KeyValues, tagTemplate: string): DumpLabels {
  const complete = info.core_complete;
  const facts = {
    namespace: values.namespace,
    pod: values.podname,
    container: values.container,
    signal: values.signal,
    node: values.node,
    bug: values.fingerprint,
    title: info.title ?? "unknown",
    corecomplete: typeof complete === "boolean" ? String(complete) : "unknown",
  };
  return { facts, tags: fillTags(tagTemplate, values) };
}

function fillTags(template: string, values: KeyValues): Record<string, string> {
  const pairs = template.split(",").flatMap((pair): [string, string][] => {
    const [key = "", ...value] = pair.split("=");
    if (key.trim() === "") return [];
    return [[key.trim(), fillTemplate(value.join("=").trim(), values, (text) => text)]];
  });
  return Object.fromEntries(pairs);
}
