// What the worker reads from /proc about a crashed process: its name, and the pod or container in its cgroup, by which
// waiting crashes take turns. Only the container runtime knows the pod's namespace, and the composer asks it.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../model/app-error.ts";
import { parseCgroup } from "../model/cgroup-path.ts";

/** The turn of all processes outside containers together, and of those that have ended already. */
const HOST = "";
/**
 * How many threads are looked at. A crashed process has only its first thread, which may have ended, and the one that
 * dumps.
 */
const THREADS_MAX = 16;

/** Returns the process's name (comm), or why it is not known. Never throws. */
export function nameOf(procDir: string, pid: number): string {
  try {
    return readFileSync(join(procDir, String(pid), "comm"), "utf8").trimEnd();
  } catch (error) {
    return describeError(error);
  }
}

/**
 * Returns the pod or container whose turn counts. Never throws, and never waits, because the kernel fills these files
 * by itself.
 */
export function podOf(procDir: string, pid: number): string {
  try {
    const tasks = join(procDir, String(pid), "task");
    for (const thread of readdirSync(tasks).slice(-THREADS_MAX)) {
      const identity = parseCgroup(readFileSync(join(tasks, thread, "cgroup"), "utf8"));
      if (identity.kind === "container")
        return identity.podUid ?? identity.containerId ?? identity.path;
    }
  } catch {
    // The process has ended.
  }
  return HOST;
}
