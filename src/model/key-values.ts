// The values of a key template's fields, from what is known of a dump. The crashed process may have chosen them.
import { basename } from "node:path";
import type { KnownInfo } from "./dump-info.ts";
import { KEY_FIELDS, type KeyValues } from "./object-key.ts";

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
