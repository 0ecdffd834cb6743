// Who crashed, as /proc tells it of the crashing thread right now: read at once, as the process may vanish after its
// core.
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

export interface Crasher {
  /** Of a core that lay in a container (model/dump-info.ts, core_file) the path is "". */
  identity: CgroupIdentity;
  exePath: string | null;
  /** The thread that crashed, for whoever reads on; null where it is gone or another's by now. */
  thread: PinnedThread | null;
}

const UNNAMED = { kind: "container", containerId: null, podUid: null } as const;
/** A thread of the kernel, so in the namespaces that the system started with. */
const KTHREADD_PID = 2;
const NOBODY: Crasher = { identity: { kind: "unreadable" }, exePath: null, thread: null };

/** Never throws: what could not be read, or was another process's, is recorded and left out. */
export function readCrasher(
  crash: CrashContext,
  procDir: string,
  attempts: Attempts,
): Promise<Crasher> {
  return attempts.attempt("process", () => identifyCrasher(crash, procDir), NOBODY);
}

/** Throws where the process cannot be looked at, or is another one by now. */
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
 * Whether a process of the host by its cgroup belongs to a container all the same: it has a pid namespace of its own
 * (%p and %P differ: a container without a cgroup of its own, as `podman run --cgroups=disabled` makes them); or it is
 * at the root of a cgroup namespace that is a container's, ours.
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

/** Whether /proc shows us cgroups as from within a container: in the listener's pod it does. */
function isInCgroupNamespace(procDir: string): boolean {
  try {
    const own = readlinkSync("/proc/self/ns/cgroup");
    return own !== readlinkSync(join(procDir, String(KTHREADD_PID), "ns/cgroup"));
  } catch {
    return false; // before Linux 4.6 there are none
  }
}

/** The kernel's %I; any that lives where core_pattern does not tell it. */
function crashedThread({ hostPid, hostTid }: CrashContext, procDir: string): ThreadId {
  if (hostPid === null) throw new Error("the kernel gave no host pid (%P)");
  return hostTid === null ? findLiveThread(procDir, hostPid) : { pid: hostPid, tid: hostTid };
}
