// Who crashed, as /proc/%P tells it right now: read at once, as the process may vanish after its core.
import { parseCgroup, type CgroupIdentity } from "../../model/cgroup-path.ts";
import { oneLine } from "../../model/printable.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import type { Attempts } from "../attempt.ts";
import { pinProcess, readCgroup, readExePath, verifyPinned } from "./process.ts";

export interface Crasher {
  /** Of a core that lay in a container (model/dump-info.ts, core_file) the path is "". */
  identity: CgroupIdentity;
  exePath: string | null;
}

const NOBODY: Crasher = { identity: { kind: "unreadable" }, exePath: null };

/** Never throws: what could not be read, or was another process's, is recorded and left out. */
export function readCrasher(
  crash: CrashContext,
  procDir: string,
  attempts: Attempts,
): Promise<Crasher> {
  const { hostPid, pidfd } = crash;
  const read = (): Crasher => {
    if (hostPid === null) throw new Error("the kernel gave no host pid (%P)");
    const pinned = pinProcess(procDir, hostPid, pidfd);
    const crasher = {
      identity: parseCgroup(readCgroup(procDir, hostPid)),
      exePath: readExePath(procDir, hostPid),
    };
    verifyPinned(procDir, pinned);
    return { ...crasher, exePath: crasher.exePath === null ? null : oneLine(crasher.exePath) };
  };
  return attempts.attempt("process", read, NOBODY);
}
