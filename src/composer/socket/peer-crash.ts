// Finds out who crashed where the core comes through the kernel's coredump socket. Reads what the pipe gets as %
// specifiers (core(5)) from the connection's pidfd and from /proc. The kernel holds the process meanwhile, but its pid
// counts only while the pidfd names it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readUtsName } from "../../host/uts-name.ts";
import { describeError } from "../../model/app-error.ts";
import { corenameText } from "../../model/corename.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import {
  findLiveThread,
  listThreads,
  pinThread,
  readExePath,
  readStat,
  statField,
  threadPath,
  verifyPinned,
  type ThreadId,
} from "../metadata/process.ts";

/** The flag of the one thread that writes the core (include/linux/sched.h). */
const PF_DUMPCORE = 0x200;
/** RLIM_INFINITY as the kernel prints it with %lu. */
const UNLIMITED = "18446744073709551615";

/** The process behind a connection. */
export interface Peer {
  /** The pid in this process's pid namespace. */
  pid: number;
  pidfd: number;
  dumpable: number | null;
}

/** The crash behind a connection. */
export interface PeerCrash {
  crash: CrashContext;
  /** What could not be found out, one sentence each. */
  complaints: string[];
}

/**
 * Returns the crash as the pipe's arguments would describe it. Leaves out what cannot be read and what belongs to
 * another process by then. Never throws.
 */
export function readPeerCrash(procDir: string, peer: Peer, nowSeconds: number): PeerCrash {
  const { pid, pidfd } = peer;
  const complaints: string[] = [];
  const attempt = <T>(read: () => T, fallback: T): T => {
    try {
      return read();
    } catch (error) {
      complaints.push(describeError(error));
      return fallback;
    }
  };
  const bare = bareCrash(peer, nowSeconds);
  const readAll = (): CrashContext => {
    const thread = pinThread(procDir, findDumpingThread(procDir, pid), pidfd);
    const readText = (name: string) => readFileSync(threadPath(procDir, thread, name), "utf8");
    const comm = readText("comm").replace(/\n$/, "");
    const crash: CrashContext = {
      ...bare,
      ...parseStatus(readText("status")),
      hostTid: thread.tid,
      signal: parseExitSignal(readFileSync(join(procDir, String(pid), "stat"), "latin1")),
      limitSize: parseCoreLimit(readText("limits")),
      hostname: attempt(() => corenameText(readUtsName(threadPath(procDir, thread, "ns/uts"))), ""),
      exeName: corenameText(comm),
      pathname: corenameText(readExePath(procDir, thread) ?? `${comm} (path unknown)`),
    };
    verifyPinned(procDir, thread);
    return crash;
  };
  return { crash: attempt(readAll, bare), complaints };
}

/** Returns what the connection alone tells. */
function bareCrash({ pid, pidfd, dumpable }: Peer, nowSeconds: number): CrashContext {
  return {
    hostPid: pid,
    hostTid: null,
    pid: null,
    signal: null,
    timestampSeconds: nowSeconds,
    limitSize: "",
    uid: null,
    gid: null,
    dumpable,
    pidfd,
    hostname: "",
    exeName: "",
    pathname: "",
  };
}

/** Parses proc_pid_status(5) of any thread: the real ids, and the process's pid in the innermost namespace. */
export function parseStatus(text: string): Pick<CrashContext, "uid" | "gid" | "pid"> {
  const first = (name: string, pattern: RegExp) => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined) throw new Error(`/proc/PID/status has no ${name}`);
    return Number(found);
  };
  return {
    uid: first("Uid", /^Uid:\t(\d+)/m),
    gid: first("Gid", /^Gid:\t(\d+)/m),
    pid: first("NStgid", /^NStgid:(?:\t\d+)*\t(\d+)$/m),
  };
}

/** Returns whether a thread writes a core, by the flags in field 9 of proc_pid_stat(5). */
export function isDumping(stat: string): boolean {
  return (Number(statField(stat, 9)) & PF_DUMPCORE) !== 0;
}

function findDumpingThread(procDir: string, pid: number): ThreadId {
  const threads = listThreads(procDir, pid);
  const [only] = threads;
  if (only !== undefined && threads.length === 1) return only;
  const dumping = threads.find((thread) => {
    try {
      return isDumping(readStat(procDir, thread));
    } catch {
      return false; // the thread has ended since
    }
  });
  return dumping ?? findLiveThread(procDir, pid);
}

/**
 * Parses field 52 of proc_pid_stat(5): the signal that kills the whole process, set when its core begins
 * (kernel/coredump: zap_process sets group_exit_code). Only the process's own file has it, not those of its threads.
 * null where it is missing or 0, which a reader without the right to ptrace gets.
 */
export function parseExitSignal(stat: string): number | null {
  const signal = Number(statField(stat, 52)) & 0x7f;
  return signal === 0 ? null : signal;
}

/** Parses the soft limit from proc_pid_limits(5), as %c prints it. */
export function parseCoreLimit(limits: string): string {
  const found = /^Max core file size\s+(\S+)/m.exec(limits)?.[1] ?? "";
  return found === "unlimited" ? UNLIMITED : found;
}
