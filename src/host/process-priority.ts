// How much of the processor another process gets, all its threads included: nice(2) and sched(7).
import { readdirSync } from "node:fs";
import { setPriority } from "node:os";
import { missingCapabilities } from "./capabilities.ts";
import { lazyLibc } from "./libc.ts";

/** Behind what the node is there for, but not starved on a busy one: at 10 a program of Node took over 5 s there. */
const BACKGROUND = 5;
/** sched_setscheduler(2), by number: musl has no function for it. */
const SCHED_SETSCHEDULER = process.arch === "arm64" ? 119 : 144;
/** SCHED_IDLE gets what nobody else wants, and gives way the moment that anybody wakes; SCHED_OTHER is the usual one. */
const [SCHED_OTHER, SCHED_IDLE] = [0, 5];

const libc = lazyLibc({
  syscall: { args: ["i64", "i64", "i64", "ptr"], returns: "i64" },
});

/**
 * Puts a process that was just started behind all others, as long as nobody waits for it. Where this process could not
 * bring it forward again (CAP_SYS_NICE), it goes to the background at once. Threads that it starts follow. Never throws.
 */
export function setAside(pid: number): void {
  bringForward(pid);
  if (missingCapabilities(["CAP_SYS_NICE"]).length === 0) setPolicy(pid, SCHED_IDLE);
}

/** Gives a process that was set aside the background's share, because somebody waits for it now. Never throws. */
export function bringForward(pid: number): void {
  setPolicy(pid, SCHED_OTHER);
  for (const thread of threadsOf(pid)) {
    try {
      setPriority(thread, BACKGROUND);
    } catch {
      // It has ended, or its priority is no business of this process.
    }
  }
}

function setPolicy(pid: number, policy: number): void {
  const priority = Int32Array.of(0);
  for (const thread of threadsOf(pid)) libc().syscall(SCHED_SETSCHEDULER, thread, policy, priority);
}

/** Each thread has a priority of its own on Linux. */
function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}
