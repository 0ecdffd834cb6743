// Reads from /proc who crashed. Does so at once, because the process may vanish after its core.
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { parseCgroup, type CgroupIdentity } from "../../model/cgroup-path.ts";
import { oneLine } from "../../model/printable.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import type { Attempts } from "../attempt.ts";
import {
  findLiveThread,
  pinThread,
  readCgroup,
  readExePath,
  verifyPinned,
  type PinnedThread,
  type ThreadId,
} from "./process.ts";

/** The crashed process. */
export interface Crasher {
  /**
   * The container and pod. For a core that lay in a container's file (`core_file` in src/model/dump-info.ts) the path
   * is "".
   */
  identity: CgroupIdentity;
  exePath: string | null;
  /** The crashed thread, for later reads; null where it has ended or another thread has its id. */
  thread: PinnedThread | null;
}

const UNNAMED = { kind: "container", containerId: null, podUid: null } as const;
/** kthreadd, a thread of the kernel, which has the namespaces that the system started with. */
const KTHREADD_PID = 2;
const NOBODY: Crasher = { identity: { kind: "unreadable" }, exePath: null, thread: null };

/**
 * Reads the crashed process. Records and leaves out what could not be read or belongs to another process. Never throws.
 */
export function readCrasher(
  crash: CrashContext,
  procDir: string,
  attempts: Attempts,
): Promise<Crasher> {
  return attempts.attempt("process", () => identifyCrasher(crash, procDir), NOBODY);
}

/** Identifies the crashed process by its cgroup. Throws where it cannot be read or another process has its pid. */
export function identifyCrasher(crash: CrashContext, procDir: string): Crasher {
  const thread = pinThread(procDir, crashedThread(crash, procDir), crash.pidfd);
  const parsed = parseCgroup(readCgroup(procDir, thread));
  const identity = mayBeContainers(parsed, crash, procDir)
    ? { ...UNNAMED, path: parsed.path }
    : parsed;
  const exePath = readExePath(procDir, thread);
  verifyPinned(procDir, thread);
  return { identity, exePath: exePath === null ? null : oneLine(exePath), thread };
}

/**
 * Returns whether a process with a cgroup of the host may still belong to a container. It does where it has its own pid
 * namespace (%p and %P differ), as in a container without a cgroup (`podman run --cgroups=disabled`). It may where it
 * is at the root of this process's cgroup namespace and that is a container's.
 */
function mayBeContainers(
  identity: CgroupIdentity,
  { pid, hostPid }: CrashContext,
  procDir: string,
): identity is Extract<CgroupIdentity, { kind: "host" }> {
  if (identity.kind !== "host") return false;
  if (pid !== null && pid !== hostPid) return true;
  return identity.path === "/" && isInCgroupNamespace(procDir);
}

/** Returns whether /proc shows cgroups as seen from within a container, as it does in the listener's pod. */
function isInCgroupNamespace(procDir: string): boolean {
  try {
    const own = readlinkSync("/proc/self/ns/cgroup");
    return own !== readlinkSync(join(procDir, String(KTHREADD_PID), "ns/cgroup"));
  } catch {
    return false; // Linux before 4.6 has no cgroup namespaces
  }
}

/** Returns the kernel's %I, or any living thread where core_pattern has no %I. */
function crashedThread({ hostPid, hostTid }: CrashContext, procDir: string): ThreadId {
  if (hostPid === null) throw new Error("the kernel gave no host pid (%P)");
  return hostTid === null ? findLiveThread(procDir, hostPid) : { pid: hostPid, tid: hostTid };
}
