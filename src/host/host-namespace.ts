// Work in the host's own mount namespace, from a process that has another: a pod with hostPID, or a systemd unit
// with a file system of its own. The kernel takes a coredump socket's path only from there (fs/coredump.c,
// check_coredump_socket). Needs CAP_SYS_ADMIN, CAP_SYS_CHROOT and CAP_SYS_PTRACE (setns(2)).
import { closeSync, openSync, readlinkSync } from "node:fs";
import { AppError, describeError } from "../model/app-error.ts";
import { loadLibc } from "./libc.ts";

const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x20000;
/** kthreadd: it has the namespaces that the kernel started with, and may be looked at where /proc/1 may not. */
const KTHREADD = "/proc/2";
/** include/linux/proc_ns.h, PROC_PID_INIT_INO. */
const INITIAL_PID_NAMESPACE = "pid:[4026531836]";

/** False in a container without hostPID: it sees neither the host's processes nor its namespaces. */
export function seesHostProcesses(procDir = "/proc"): boolean {
  try {
    return readlinkSync(`${procDir}/self/ns/pid`) === INITIAL_PID_NAMESPACE;
  } catch {
    return false;
  }
}

/**
 * Runs `work` with this thread in the host's mount namespace, and comes back. It must not wait for anything: the
 * event loop goes on in the namespace that the thread is in. Throws AppError "host" where the kernel refuses.
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
      // Into one's own namespace the way is always open; setns(2) leaves us in its root.
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
