// Reads the host name that another process sees, the kernel's %h. The name belongs to the process's UTS namespace
// (uts_namespaces(7)), which this thread enters for one call.
import { ptr } from "bun:ffi";
import { closeSync, openSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { loadLibc } from "./libc.ts";

const CLONE_NEWUTS = 0x04000000;
/** __NEW_UTS_LEN and the terminating NUL. */
const NAME_BYTES = 65;
/** kthreadd, a thread of the kernel, which has the namespaces that the system started with (kernel/kthread.c). */
const KTHREADD_PID = 2;

/**
 * Returns the host name that a process or thread sees; `path` is its ns/uts in /proc. Throws where this process may not
 * enter the namespace, which needs CAP_SYS_ADMIN, and CAP_SYS_PTRACE for other users' processes.
 */
export function readUtsName(path: string): string {
  if (readlinkSync(path) === readlinkSync("/proc/thread-self/ns/uts")) return hostname();
  const [own, other] = [openSync("/proc/thread-self/ns/uts", "r"), openSync(path, "r")];
  const { setns, gethostname } = loadLibc({
    setns: { args: ["i32", "i32"], returns: "i32" },
    gethostname: { args: ["ptr", "u64"], returns: "i32" },
  });
  try {
    if (setns(other, CLONE_NEWUTS) !== 0) throw new Error(`cannot enter ${path}`);
    const name = Buffer.alloc(NAME_BYTES);
    const failed = gethostname(ptr(name), BigInt(NAME_BYTES)) !== 0;
    // A process may always return into its own namespace.
    setns(own, CLONE_NEWUTS);
    if (failed) throw new Error(`no host name in ${path}`);
    return name.toString("utf8", 0, name.indexOf(0));
  } finally {
    closeSync(own);
    closeSync(other);
  }
}

/** Returns the node's host name where this process sees the node's processes; else its own host name. */
export function readNodeName(procDir: string): string {
  try {
    return readUtsName(join(procDir, String(KTHREADD_PID), "ns/uts"));
  } catch {
    return hostname();
  }
}
