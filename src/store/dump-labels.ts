// Makes what describes a dump without opening it (facts, tags, the fields of its key) from dump-info, the zip's first
// entry. A zip without a readable dump-info is labelled "unknown". The crashed process may have chosen the values, so
// each adapter reduces them to what its store accepts.
import { open } from "node:fs/promises";
import { DUMP_HEAD_BYTES, parseDumpHead } from "../model/dump-head.ts";
import type { KnownInfo } from "../model/dump-info.ts";
import { fillTemplate, type KeyValues } from "../model/object-key.ts";

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
