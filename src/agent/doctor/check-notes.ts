// Checks whether the kernel left a long list of mapped files out of a core, which it logs once a boot.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  NOTE_LIMIT_MAX_BYTES,
  NOTE_LIMIT_PATH,
  parseNoteTooLarge,
} from "../../model/core-note-limit.ts";
import { openKernelSource } from "../../host/kernel-log.ts";
import type { KernelLogSource } from "../../host/kernel-log-source.ts";
import { ok, skipped, warning, type CheckResult } from "./check.ts";

/** Looks for the kernel's message. */
export async function checkNotes(): Promise<CheckResult> {
  let limit: number;
  try {
    limit = Number(await readFile(join("/proc/sys", NOTE_LIMIT_PATH), "utf8"));
  } catch {
    return skipped("this kernel has no limit of its own for a core's list of mapped files");
  }
  let source: KernelLogSource | undefined;
  try {
    source = openKernelSource();
    return judgeNotes(source.records(), limit);
  } catch {
    return skipped("the kernel's log cannot be read");
  } finally {
    source?.close();
  }
}

/** Judges the messages. A limit that was raised since then is fine. */
export function judgeNotes(
  records: Iterable<{ message: string }>,
  limitBytes: number,
): CheckResult {
  for (const { message } of records) {
    const sizeBytes = parseNoteTooLarge(message);
    if (sizeBytes === undefined || sizeBytes < limitBytes) continue;
    return {
      ...warning(
        `a core's list of mapped files had ${sizeBytes} bytes, and the kernel left it out: kernel.core_file_note_size_limit is ${limitBytes}`,
        `set kernel.core_file_note_size_limit on the node to more, at most ${NOTE_LIMIT_MAX_BYTES}; debuggers need the list`,
      ),
      evidence: message,
    };
  }
  return ok(`no core's list of mapped files was longer than ${limitBytes} bytes`);
}
