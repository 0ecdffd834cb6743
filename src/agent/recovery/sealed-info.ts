// Makes the dump-info of a sealed dump from what its composer had written and what the scan found.
import { CORE_SUFFIX } from "../../model/dump-entries.ts";
import type { DumpInfo } from "../../model/dump-info.ts";
import { VERSION } from "../../model/version.ts";
import type { ScannedCore } from "./core-scan.ts";

/** Returns the dump-info. `composed` is false where no entry followed the core. */
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
    dump_file: base + CORE_SUFFIX,
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
  guessed_namespace: null,
  guessed_podname: null,
  guessed_pod_uid: null,
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
