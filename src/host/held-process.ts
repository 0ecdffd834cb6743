// The crashed process, which the kernel holds while it writes the core. In a mapping that is all holes the kernel
// writes nothing for hours and does not notice that its reader has gone (fs/coredump.c, dump_user_range). Only SIGKILL
// ends the process then and frees its place under core_pipe_limit. The composer pins the process at the crash, because
// pids are reused.
import { closeSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { loadLibc } from "./libc.ts";

/** A pinned process. */
export interface HeldProcess {
  pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks after boot. */
  startTime: string;
  /** undefined before Linux 5.3, which has no pidfds; pid and start time identify the process then. */
  pidfd: number | undefined;
}

/** pidfd_send_signal(2) and pidfd_open(2): the same numbers on x86-64 and arm64. */
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
const SIGKILL = 9;
/** The flag of the thread that writes the core, from then until it ends (include/linux/sched.h). */
const PF_DUMPCORE = 0x200;
const PF_EXITING = 0x4;
const STEP_MS = 50;

/** Pins the process that has this pid now; undefined where there is none. */
export function pinHeld(procDir: string, pid: number): HeldProcess | undefined {
  const startTime = startTimeOf(procDir, pid);
  if (startTime === undefined) return undefined;
  const fd = syscall(SYS_PIDFD_OPEN, pid, 0);
  const pidfd = fd < 0 ? undefined : fd;
  // The pid may have passed to another process between the two reads.
  if (startTimeOf(procDir, pid) === startTime) return { pid, startTime, pidfd };
  if (pidfd !== undefined) closeSync(pidfd);
  return undefined;
}

/** Whether the pid is still this process's: what was read by it meanwhile is this process's own. */
export function isStillHeld(procDir: string, { pid, startTime }: HeldProcess): boolean {
  return startTimeOf(procDir, pid) === startTime;
}

/** How the end of a dump came about. */
export type DumpingEnd =
  /** The process no longer dumps. */
  | "ended"
  | "killed"
  /** The process still dumps, because this one may not kill it (CAP_KILL). */
  | "refused";

/**
 * Ends a dump whose core no one reads any more. Waits graceMs for the kernel to notice, so that the process ends with
 * its own signal, and kills it where it still dumps. Closes the pidfd. Never throws.
 */
export async function endDumping(
  procDir: string,
  held: HeldProcess,
  graceMs: number,
): Promise<DumpingEnd> {
  try {
    for (let waitedMs = 0; waitedMs < graceMs; waitedMs += STEP_MS) {
      if (!isDumping(procDir, held)) return "ended";
      await Bun.sleep(STEP_MS);
    }
    if (!isDumping(procDir, held)) return "ended";
    return kill(held) ? "killed" : "refused";
  } finally {
    if (held.pidfd !== undefined) closeSync(held.pidfd);
  }
}

function kill({ pid, pidfd }: HeldProcess): boolean {
  if (pidfd !== undefined) return syscall(SYS_PIDFD_SEND_SIGNAL, pidfd, SIGKILL) === 0;
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

/** Returns whether any thread of the process writes a core; its first thread may have ended long before. */
function isDumping(procDir: string, { pid, startTime }: HeldProcess): boolean {
  if (startTimeOf(procDir, pid) !== startTime) return false;
  const tasks = join(procDir, String(pid), "task");
  return listNames(tasks).some((thread) => {
    const stat = readStat(join(tasks, thread));
    return (Number(fieldOf(stat, 9)) & (PF_DUMPCORE | PF_EXITING)) === PF_DUMPCORE;
  });
}

function startTimeOf(procDir: string, pid: number): string | undefined {
  return fieldOf(readStat(join(procDir, String(pid))), 22) || undefined;
}

/**
 * Returns a field by proc_pid_stat(5)'s number, from the third on, because comm before it may hold anything; "" where
 * there is none.
 */
function fieldOf(stat: string, number: number): string {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[number - 3] ?? "";
}

/** Returns the text of a stat file; "" where the process has ended. */
function readStat(folder: string): string {
  try {
    return readFileSync(join(folder, "stat"), "latin1");
  } catch {
    return "";
  }
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function syscall(number: number, first: number, second: number): number {
  const libc = loadLibc({
    syscall: { args: ["i64", "i64", "i64", "i64", "i64"], returns: "i64" },
  });
  return Number(libc.syscall(number, first, second, 0, 0));
}
