// Makes dump-info's contents: from the kernel's words at the start, from the drain, and from the metadata.
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { NOTE_LIMIT_PATH } from "../model/core-note-limit.ts";
import type { CrashContext } from "../model/crash-context.ts";
import { UNKNOWN_DUMP, type DumpInfo, type TruncatedBy } from "../model/dump-info.ts";
import type { TemplateValues } from "../model/dump-name.ts";
import { signalName } from "../model/signal-name.ts";
import type { CoreDrain, DrainEnd } from "./core-drain.ts";

/** Returns what is known before the core's first byte. The core counts as truncated until the drain has ended well. */
export function firstFacts(uuid: string, crash: CrashContext, nodeName = hostname()): DumpInfo {
  return {
    ...UNKNOWN_DUMP,
    uuid,
    timestamp: String(crash.timestampSeconds),
    hostname: crash.hostname,
    exe: crash.exeName,
    real_pid: text(crash.pid),
    signal: text(crash.signal),
    node_hostname: nodeName,
    path: crash.pathname,
    signal_name: crash.signal === null ? null : signalName(crash.signal),
    limit_size: crash.limitSize,
    host_pid: crash.hostPid,
    host_tid: crash.hostTid,
    uid: crash.uid,
    gid: crash.gid,
    dumpable: crash.dumpable,
  };
}

/** Returns what is known about the core after the drain; isWhole as Sealing has it. */
export function coreFacts(
  drain: CoreDrain,
  end: DrainEnd,
  isWhole = true,
): Pick<
  DumpInfo,
  "core_format" | "core_bytes" | "core_expected_bytes" | "core_complete" | "truncated_by"
> {
  const { sizeBytes } = drain.written;
  const { format, expectedBytes } = drain.elf;
  const complete = isWhole && isComplete(end, sizeBytes, format, expectedBytes);
  return {
    core_format: format,
    core_bytes: sizeBytes,
    core_expected_bytes: expectedBytes,
    core_complete: complete,
    truncated_by: complete === false ? truncatedBy(end) : null,
  };
}

function isComplete(
  end: DrainEnd,
  sizeBytes: number,
  format: "elf" | "unknown",
  expectedBytes: number | null,
): boolean | null {
  if (expectedBytes !== null) return sizeBytes >= expectedBytes;
  // For input that is no ELF only its sender knows the right length. It is incomplete where the composer cut it or it
  // is empty.
  return format === "unknown" && end === "end" && sizeBytes > 0 ? null : false;
}

function truncatedBy(end: DrainEnd): TruncatedBy {
  return end === "end" || end === "skipped" ? "eof" : end;
}

/** Returns the values of the file-name template's fields; an unknown pod or namespace is "unknown". */
export function templateValues(info: DumpInfo): TemplateValues {
  return {
    uuid: info.uuid,
    timestamp: info.timestamp,
    hostname: info.hostname,
    exe_name: info.exe,
    pid: info.real_pid,
    signal: info.signal,
    limit_size: info.limit_size,
    pathname: info.path,
    namespace: info.namespace ?? "unknown",
    podname: info.podname ?? "unknown",
    fingerprint: info.bug ?? "unknown",
  };
}

function text(value: number | null): string {
  return value === null ? "" : String(value);
}

/** Returns one sentence on why the kernel left NT_FILE out of a core. */
export function whyNoFileList(procDir = "/proc"): string {
  let limit = "";
  try {
    limit = ` (${readFileSync(join(procDir, "sys", NOTE_LIMIT_PATH), "utf8").trim()} bytes)`;
  } catch {
    // Before Linux 6.9 the limit is 4 MiB and no setting.
  }
  return `the kernel left it out, as longer than kernel.core_file_note_size_limit${limit}`;
}
