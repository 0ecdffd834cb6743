// One process as /proc tells it, pinned: what is read counts only if it is the same process before and
// after (pids are reused; CVE-2025-4598 is what happens otherwise). Every read here is of a file that
// the kernel fills by itself; those that touch the process's memory are proc-files.ts's.
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

export interface PinnedProcess {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot. With the pid it names one process for ever. */
  startTime: string;
  pidfd: number | null;
}

/**
 * Pins the process that is pid now. With a pidfd the kernel itself says whom it means.
 * Throws when there is no such process, it is a zombie, or the pidfd means another one.
 */
export function pinProcess(procDir: string, pid: number, pidfd: number | null): PinnedProcess {
  const startTime = readStartTime(procDir, pid);
  const pinned = { pid, startTime, pidfd: pidfd !== null && isPidfd(pidfd) ? pidfd : null };
  checkPidfd(pinned);
  return pinned;
}

/** Throws when the pinned process is gone or its pid is another's now: what was read is void. */
export function verifyPinned(procDir: string, pinned: PinnedProcess): void {
  if (readStartTime(procDir, pinned.pid) !== pinned.startTime)
    throw new Error(`process ${pinned.pid} is another one now`);
  checkPidfd(pinned);
}

/** The text of /proc/PID/cgroup. */
export function readCgroup(procDir: string, pid: number): string {
  return readFileSync(join(procDir, String(pid), "cgroup"), "utf8");
}

/** Where /proc/PID/exe points, in the process's own root; null for a kernel thread or one that is gone. */
export function readExePath(procDir: string, pid: number): string | null {
  try {
    return readlinkSync(join(procDir, String(pid), "exe"));
  } catch {
    return null;
  }
}

function readStartTime(procDir: string, pid: number): string {
  const { state, startTime } = parseStat(
    readFileSync(join(procDir, String(pid), "stat"), "latin1"),
  );
  // A zombie has left its cgroup (v1 shows /): it would pass for a host process.
  if (state === "Z" || state === "X" || state === "x")
    throw new Error(`process ${pid} has ended (state ${state})`);
  return startTime;
}

/** A field of /proc/PID/stat from the third on, as proc_pid_stat(5) counts; comm may hold blanks and parentheses. */
export function statField(text: string, number: number): string | undefined {
  const afterComm = text.slice(text.lastIndexOf(")") + 2);
  return afterComm.trimEnd().split(" ")[number - 3];
}

/** State and start time (in clock ticks after boot). */
export function parseStat(text: string): { state: string; startTime: string } {
  const [state, startTime] = [statField(text, 3), statField(text, 22)];
  if (state === undefined || startTime === undefined || !/^\d+$/.test(startTime))
    throw new Error("/proc/PID/stat has an unknown form");
  return { state, startTime };
}

/** False where the number is no pidfd: the composer was started by hand, or fd 3 is something else. */
function isPidfd(fd: number): boolean {
  return readPidfdPid(fd) !== null;
}

function checkPidfd({ pid, pidfd }: PinnedProcess): void {
  if (pidfd === null) return;
  const named = readPidfdPid(pidfd);
  if (named !== pid)
    throw new Error(`the kernel's pidfd means process ${named ?? "none"}, not ${pid}`);
}

/** The pid that a pidfd names, -1 when that process is reaped (pidfd_open(2)); null for another file. */
function readPidfdPid(fd: number): number | null {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    const match = /^Pid:\s*(-?\d+)$/m.exec(text);
    return match === null ? null : Number(match[1]);
  } catch {
    return null;
  }
}
