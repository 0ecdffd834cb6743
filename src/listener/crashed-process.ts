// What the worker asks /proc of a crashed process: its name, and whose turn it is when crashes wait: the pod (or container) that the crashed process's cgroup names. Which namespace
// that is in only the container runtime knows, which is for the composer to ask.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../model/app-error.ts";
import { parseCgroup } from "../model/cgroup-path.ts";

/** All processes outside of containers together, and those that are gone already. */
const HOST = "";
/** Beside its first thread, which may have ended, only the one that dumps is left of a crashed process. */
const THREADS_MAX = 16;

/** The process's name (comm), or why it is not known. Never throws. */
export function nameOf(procDir: string, pid: number): string {
  try {
    return readFileSync(join(procDir, String(pid), "comm"), "utf8").trimEnd();
  } catch (error) {
    return describeError(error);
  }
}

/** Never throws, and waits for nothing: the kernel fills these files by itself. */
export function podOf(procDir: string, pid: number): string {
  try {
    const tasks = join(procDir, String(pid), "task");
    for (const thread of readdirSync(tasks).slice(-THREADS_MAX)) {
      const identity = parseCgroup(readFileSync(join(tasks, thread, "cgroup"), "utf8"));
      if (identity.kind === "container")
        return identity.podUid ?? identity.containerId ?? identity.path;
    }
  } catch {
    // gone
  }
  return HOST;
}
