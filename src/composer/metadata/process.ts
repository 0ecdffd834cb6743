// One process as /proc tells it, pinned: what is read counts only if it is the same before and after (pids are reused;
// CVE-2025-4598 is what happens otherwise). It is looked at through one of its threads, /proc/PID/task/TID: where the
// first thread has ended (main() called pthread_exit) /proc/PID is a zombie without cgroup, program and memory.
// Every read here is of a file that the kernel fills by itself; those that touch the process's memory are
// proc-files.ts's.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** A thread of a process, both in procDir's pid namespace. */
export interface ThreadId {
  pid: number;
  tid: number;
}

export interface PinnedThread extends ThreadId {
  /** Field 22 of its stat: clock ticks after boot. With the tid it names one thread for ever. */
  startTime: string;
  pidfd: number | null;
}

/**
 * Pins the thread that has these ids now. With a pidfd the kernel itself says which process it means.
 * Throws when there is no such thread, it has ended, or the pidfd means another process.
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

/** Throws when the pinned thread is gone or its id is another's now: what was read is void. */
export function verifyPinned(procDir: string, pinned: PinnedThread): void {
  if (readStartTime(procDir, pinned) !== pinned.startTime)
    throw new Error(`process ${pinned.pid} is another one now`);
  checkPidfd(pinned);
}

/** The process's first thread or, where that has ended, another that lives; the first where none does. */
export function findLiveThread(procDir: string, pid: number): ThreadId {
  const first = { pid, tid: pid };
  if (hasNotEnded(procDir, first)) return first;
  return listThreads(procDir, pid).find((thread) => hasNotEnded(procDir, thread)) ?? first;
}

/** Throws where there is no such process. */
export function listThreads(procDir: string, pid: number): ThreadId[] {
  return readdirSync(join(procDir, String(pid), "task")).map((tid) => ({ pid, tid: Number(tid) }));
}

/** /proc/PID/task/TID/NAME. */
export function threadPath(procDir: string, { pid, tid }: ThreadId, name: string): string {
  return join(procDir, String(pid), "task", String(tid), name);
}

/** The text of the thread's cgroup file. */
export function readCgroup(procDir: string, thread: ThreadId): string {
  return readFileSync(threadPath(procDir, thread, "cgroup"), "utf8");
}

/** Where its exe points, in the process's own root; null for a kernel thread or one that is gone. */
export function readExePath(procDir: string, thread: ThreadId): string | null {
  try {
    return readlinkSync(threadPath(procDir, thread, "exe"));
  } catch {
    return null;
  }
}

/** The thread's stat file as text of one byte a character, as comm may hold anything. */
export function readStat(procDir: string, thread: ThreadId): string {
  return readFileSync(threadPath(procDir, thread, "stat"), "latin1");
}

function readStartTime(procDir: string, thread: ThreadId): string {
  const { state, startTime } = parseStat(readStat(procDir, thread));
  // A zombie has left its cgroup (v1 shows /): it would pass for a host process.
  if (isEnd(state)) throw new Error(`process ${thread.pid} has ended (state ${state})`);
  return startTime;
}

function hasNotEnded(procDir: string, thread: ThreadId): boolean {
  try {
    return !isEnd(parseStat(readStat(procDir, thread)).state);
  } catch {
    return false; // it is gone meanwhile
  }
}

function isEnd(state: string): boolean {
  return state === "Z" || state === "X" || state === "x";
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

function checkPidfd({ pid, pidfd }: PinnedThread): void {
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
