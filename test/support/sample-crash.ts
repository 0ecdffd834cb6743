// One crash as the kernel tells it, and the command line that says the same.
import type { CrashContext } from "../../src/model/crash-context.ts";

export function sampleCrash(changes: Partial<CrashContext> = {}): CrashContext {
  return {
    hostPid: 4242,
    hostTid: 4243,
    pid: 7,
    signal: 11,
    timestampSeconds: 1_700_000_000,
    limitSize: "18446744073709551615",
    uid: 0,
    gid: 0,
    dumpable: 1,
    pidfd: null,
    hostname: "web-1",
    exeName: "server",
    pathname: "!usr!bin!server",
    ...changes,
  };
}

/** No host pid: a test's composer must not look into a process of this machine. */
export const CRASH_ARGS = [
  "-c=18446744073709551615",
  "-e=server",
  "-p=7",
  "-s=11",
  "-t=1700000000",
  "-h=web-1",
  "-E=!usr!bin!server",
];
