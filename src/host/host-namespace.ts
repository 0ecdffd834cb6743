// Runs work in the host's mount namespace, from a process that has another: a pod with hostPID, or a systemd unit with
// its own view of the file system. The kernel accepts a coredump socket's path only from there (fs/coredump.c,
// check_coredump_socket). Needs CAP_SYS_ADMIN, CAP_SYS_CHROOT and CAP_SYS_PTRACE (setns(2)).
import { closeSync, openSync, readlinkSync } from "node:fs";
import { AppError, describeError } from "../model/app-error.ts";
import { loadLibc } from "./libc.ts";

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
/** kthreadd, which has the namespaces that the kernel started with. It is readable where /proc/1 is not. */
const KTHREADD = "/proc/2";
/** include/linux/proc_ns.h, PROC_PID_INIT_INO. */
const INITIAL_PID_NAMESPACE = "pid:[4026531836]";

/** Returns whether this process sees the host's processes and namespaces; a container without hostPID does not. */
export function seesHostProcesses(procDir = "/proc"): boolean {
  try {
    return readlinkSync(`${procDir}/self/ns/pid`) === INITIAL_PID_NAMESPACE;
  } catch {
    return false;
  }
}

/**
 * Moves this thread into the host's mount namespace, runs `work`, moves back, and returns what `work` returned. `work`
 * must not wait: the event loop would run in the host's namespace meanwhile. Throws AppError "host" where the kernel
 * refuses.
 */
export function inHostMountNamespace<T>(work: () => T): T {
  if (!seesHostProcesses()) throw refused("this is a PID namespace of its own");
  const { unshare, setns } = loadLibc({
    unshare: { args: ["i32"], returns: "i32" },
    setns: { args: ["i32", "i32"], returns: "i32" },
  });
  const own = openSync("/proc/thread-self/ns/mnt", "r");
  const folder = process.cwd();
  try {
    const hosts = openHosts();
    try {
      // setns(2): a thread that shares root and working directory with others may not change its mounts.
      if (unshare(CLONE_FS) !== 0 || setns(hosts, CLONE_NEWNS) !== 0)
        throw refused("unshare or setns was refused");
    } finally {
      closeSync(hosts);
    }
    try {
      return work();
    } finally {
      // A process may always return into its own namespace; setns(2) sets the working directory to its root.
      setns(own, CLONE_NEWNS);
      process.chdir(folder);
    }
  } finally {
    closeSync(own);
  }
}

function openHosts(): number {
  try {
    return openSync(`${KTHREADD}/ns/mnt`, "r");
  } catch (cause) {
    throw refused(describeError(cause));
  }
}

function refused(because: string): AppError {
  return new AppError("host", `cannot enter the host's mount namespace: ${because}`, {
    hint: "a pod needs hostPID, SYS_ADMIN, SYS_CHROOT and SYS_PTRACE (daemonset.captureFallback); a unit, install --config again",
  });
}
