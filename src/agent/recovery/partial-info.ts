// dump-info as a killed composer left it at the head of its file, and as it reads once the agent sealed it.
import { FIRST_ENTRY_ROOM_BYTES } from "../../model/partial-layout.ts";
import type { DumpInfo } from "../../model/dump-info.ts";
import { VERSION } from "../../model/version.ts";
import type { ScannedCore } from "./core-scan.ts";
import { parseLocalHeader } from "./zip-parse.ts";

/** Of the file's first FIRST_ENTRY_ROOM_BYTES; undefined where they are not all there, or torn. */
export function parsePartialInfo(head: Buffer): Partial<DumpInfo> | undefined {
  if (head.length < FIRST_ENTRY_ROOM_BYTES) return undefined;
  const header = parseLocalHeader(head);
  if (header === undefined || !header.name.endsWith("-dump-info.json")) return undefined;
  try {
    const parsed: unknown = JSON.parse(
      head.toString("utf8", header.roomBytes, FIRST_ENTRY_ROOM_BYTES),
    );
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined; // torn in the middle of being written
  }
}

/** What the sealed zip says of itself. `composed` is false where nothing followed the core. */
export function sealedInfo(
  found: Partial<DumpInfo>,
  core: ScannedCore,
  { uuid, base, composed }: { uuid: string; base: string; composed: boolean },
): DumpInfo {
  const { format, expectedBytes } = core.elf;
  const complete =
    expectedBytes === null ? (core.ended ? null : false) : core.sizeBytes >= expectedBytes;
  return {
    ...UNKNOWN,
    ...found,
    uuid,
    dump_file: `${base}.core`,
    core_format: format,
    core_bytes: core.sizeBytes,
    core_expected_bytes: expectedBytes,
    core_complete: complete,
    truncated_by: complete === false ? "killed" : null,
    missing: [
      ...(Array.isArray(found.missing) ? found.missing : []),
      {
        what: composed ? "dump" : "metadata",
        why: "the composer was killed; the agent sealed the dump",
      },
    ],
  };
}

const UNKNOWN: DumpInfo = {
  uuid: "",
  dump_file: "",
  timestamp: "",
  hostname: "",
  exe: "",
  real_pid: "",
  signal: "",
  node_hostname: "",
  path: "",
  version: VERSION,
  signal_name: null,
  limit_size: "",
  core_format: "unknown",
  core_bytes: 0,
  core_expected_bytes: null,
  core_complete: false,
  truncated_by: "killed",
  identity: "unknown",
  namespace: null,
  podname: null,
  pod_uid: null,
  container_name: null,
  container_id: null,
  container_index: null,
  image: null,
  restart_count: null,
  host_pid: null,
  host_tid: null,
  uid: null,
  gid: null,
  dumpable: null,
  exe_path: null,
  cgroup: null,
  missing: [],
  settings_ignored: [],
};
