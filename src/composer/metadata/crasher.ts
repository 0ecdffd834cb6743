// Who crashed, as /proc tells it of the crashing thread right now: read at once, as the process may vanish after its
// core.
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
  const identity = parseCgroup(readCgroup(procDir, thread));
  const exePath = readExePath(procDir, thread);
  verifyPinned(procDir, thread);
  return { identity, exePath: exePath === null ? null : oneLine(exePath), thread };
}

/** The kernel's %I; any that lives where core_pattern does not tell it. */
function crashedThread({ hostPid, hostTid }: CrashContext, procDir: string): ThreadId {
  if (hostPid === null) throw new Error("the kernel gave no host pid (%P)");
  return hostTid === null ? findLiveThread(procDir, hostPid) : { pid: hostPid, tid: hostTid };
}
