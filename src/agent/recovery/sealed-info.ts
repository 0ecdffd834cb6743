// Makes the dump-info of a sealed dump from what its composer had written and what the scan found.
import { CORE_SUFFIX } from "../../model/dump-entries.ts";
import { UNKNOWN_DUMP, type DumpInfo } from "../../model/dump-info.ts";
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
    ...UNKNOWN_DUMP,
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
