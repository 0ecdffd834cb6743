// The five /proc files of a process, read through one of its threads, that INCLUDE_PROC_INFO adds to the zip. They can
// hold secrets (environ, cmdline), so the caller decides whether they are wanted and allowed.
import { stat } from "node:fs/promises";
import { readBounded } from "../../host/bounded-read.ts";
import { findLiveThread, threadPath, verifyPinned, type PinnedThread } from "./process.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { DumpEntry } from "../../model/dump-entries.ts";
import type { Steps } from "./steps.ts";

/**
 * The files in the zip's order, with how many bytes of each are kept. A process with the most mappings that Linux
 * allows by default (65530) has some 8 MB of maps, and execve(2) takes 2 MiB of arguments and environment.
 */
const FILES = {
  auxv: 16 * 2 ** 10,
  cmdline: 64 * 2 ** 10,
  environ: 128 * 2 ** 10,
  maps: 384 * 2 ** 10,
  status: 16 * 2 ** 10,
} as const;
/** A longer file leaves as much garbage, which is freed at once. */
const LONG_BYTES = 128 * 2 ** 10;

/** Which process's files are wanted. */
export interface ProcRequest {
  procDir: string;
  /** Called first; returns the thread whose files are wanted. Throws when there is none. */
  pin: () => PinnedThread;
  /** The beginning of the entries' names, such as "-0-proc". */
  prefix: string;
}

/** Returns the entries `PREFIX/auxv` … `PREFIX/status`; none when another process took the pid meanwhile. */
export async function readProcFiles(
  request: ProcRequest,
  steps: Steps,
  budget: ByteBudget,
): Promise<DumpEntry[]> {
  const { procDir, pin, prefix } = request;
  const what = prefix.slice(1);
  const read = async () => {
    const pinned = pin();
    const entries: DumpEntry[] = [];
    for (const [name, maxBytes] of Object.entries(FILES)) {
      const path = threadPath(procDir, pinned, name);
      const { data, cut } = await readBounded(path, budget.allow(maxBytes));
      if (cut) steps.record(`${what}/${name}`, `only the first ${data.length} bytes`);
      entries.push({ suffix: `${prefix}/${name}`, data });
      budget.spend(data.length);
      if (data.length > LONG_BYTES) Bun.gc(true);
    }
    verifyPinned(procDir, pinned);
    return entries;
  };
  // The kernel reads environ and cmdline from the process's memory, where a reader can wait for ever (userfaultfd).
  // Each read is therefore in the thread pool, and the step ends with the deadline.
  return steps.step(what, read, []);
}

/**
 * Returns whether the kernel keeps the process's memory from its own user. The files in /proc/PID (not the folder)
 * belong to root then instead of the effective user (proc(5)). It cannot be seen for root's processes.
 */
export async function looksUndumpable(procDir: string, pid: number): Promise<boolean> {
  const thread = findLiveThread(procDir, pid);
  const { uid } = await stat(threadPath(procDir, thread, "environ"));
  const { data } = await readBounded(threadPath(procDir, thread, "status"), FILES.status);
  const effective = /^Uid:\s*\d+\s+(\d+)/m.exec(new TextDecoder().decode(data))?.[1];
  return effective !== undefined && uid === 0 && effective !== "0";
}
