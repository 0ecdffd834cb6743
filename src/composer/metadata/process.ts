// Reads one pinned process from /proc. A read counts only if the process is the same before and after it, because pids
// are reused (CVE-2025-4598 shows the danger). Reads through one of the threads, /proc/PID/task/TID: where the first
// thread has ended (main() called pthread_exit), /proc/PID is a zombie without cgroup, program and memory. The kernel
// fills every file that is read here by itself; proc-files.ts reads those that touch the process's memory.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** A thread of a process, both in procDir's pid namespace. */
export interface ThreadId {
  pid: number;
  tid: number;
}

/** A thread that is pinned against the reuse of its id. */
export interface PinnedThread extends ThreadId {
  /** Field 22 of its stat, in clock ticks after boot. With the tid it identifies one thread for ever. */
  startTime: string;
  pidfd: number | null;
}

/**
 * Pins the thread that has these ids now. With a pidfd the kernel confirms the process. Throws when there is no such
 * thread, when it has ended, and when the pidfd names another process.
 */
export function pinThread(
  procDir: string,
  { pid, tid }: ThreadId,
  pidfd: number | null,
): PinnedThread {
  const startTime = readStartTime(procDir, { pid, tid });
  const pinned = { pid, tid, startTime, pidfd: pidfd !== null && isPidfd(pidfd) ? pidfd : null };
  checkPidfd(pinned);
  return pinned;
}

/** Throws when the pinned thread has ended or another thread has its id; the caller then drops what it read. */
export function verifyPinned(procDir: string, pinned: PinnedThread): void {
  if (readStartTime(procDir, pinned) !== pinned.startTime)
    throw new Error(`process ${pinned.pid} is another one now`);
  checkPidfd(pinned);
}

/** Returns the process's first thread, or another living one where the first has ended; the first where none lives. */
export function findLiveThread(procDir: string, pid: number): ThreadId {
  const first = { pid, tid: pid };
  if (hasNotEnded(procDir, first)) return first;
  return listThreads(procDir, pid).find((thread) => hasNotEnded(procDir, thread)) ?? first;
}

/** Lists a process's threads. Throws where there is no such process. */
export function listThreads(procDir: string, pid: number): ThreadId[] {
  return readdirSync(join(procDir, String(pid), "task")).map((tid) => ({ pid, tid: Number(tid) }));
}

/** Returns the path /proc/PID/task/TID/NAME. */
export function threadPath(procDir: string, { pid, tid }: ThreadId, name: string): string {
  return join(procDir, String(pid), "task", String(tid), name);
}

/** Returns the text of the thread's cgroup file. Throws the system's error. */
export function readCgroup(procDir: string, thread: ThreadId): string {
  return readFileSync(threadPath(procDir, thread, "cgroup"), "utf8");
}

/** Returns the executable's path in the process's own root; null for a kernel thread and for one that has ended. */
export function readExePath(procDir: string, thread: ThreadId): string | null {
  try {
    return readlinkSync(threadPath(procDir, thread, "exe"));
  } catch {
    return null;
  }
}

/** Returns the thread's stat file as latin-1 text, because comm may hold any bytes. */
export function readStat(procDir: string, thread: ThreadId): string {
  return readFileSync(threadPath(procDir, thread, "stat"), "latin1");
}

function readStartTime(procDir: string, thread: ThreadId): string {
  const { state, startTime } = parseStat(readStat(procDir, thread));
  // A zombie has left its cgroup (v1 shows /), so it would look like a process of the host.
  if (isEnd(state)) throw new Error(`process ${thread.pid} has ended (state ${state})`);
  return startTime;
}

function hasNotEnded(procDir: string, thread: ThreadId): boolean {
  try {
    return !isEnd(parseStat(readStat(procDir, thread)).state);
  } catch {
    return false; // it has ended meanwhile
  }
}

function isEnd(state: string): boolean {
  return state === "Z" || state === "X" || state === "x";
}

/**
 * Returns a field of /proc/PID/stat by proc_pid_stat(5)'s number, from the third on. Skips comm, which may hold blanks
 * and parentheses.
 */
export function statField(text: string, number: number): string | undefined {
  const afterComm = text.slice(text.lastIndexOf(")") + 2);
  return afterComm.trimEnd().split(" ")[number - 3];
}

/** Parses the state and the start time (in clock ticks after boot). Throws for a text without them. */
export function parseStat(text: string): { state: string; startTime: string } {
  const [state, startTime] = [statField(text, 3), statField(text, 22)];
  if (state === undefined || startTime === undefined || !/^\d+$/.test(startTime))
    throw new Error("/proc/PID/stat has an unknown form");
  return { state, startTime };
}

/** Returns whether a descriptor is a pidfd. It is none where somebody started the composer by hand. */
function isPidfd(fd: number): boolean {
  return readPidfdPid(fd) !== null;
}

function checkPidfd({ pid, pidfd }: PinnedThread): void {
  if (pidfd === null) return;
  const named = readPidfdPid(pidfd);
  if (named !== pid)
    throw new Error(`the kernel's pidfd means process ${named ?? "none"}, not ${pid}`);
}

/** Returns the pid that a pidfd names, -1 when that process is reaped (pidfd_open(2)); null for another file. */
function readPidfdPid(fd: number): number | null {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    const match = /^Pid:\s*(-?\d+)$/m.exec(text);
    return match === null ? null : Number(match[1]);
  } catch {
    return null;
  }
}
