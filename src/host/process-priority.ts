// How much of the processor another process gets (nice(2)), all its threads included.
import { readdirSync } from "node:fs";
import { setPriority } from "node:os";
import { missingCapabilities } from "./capabilities.ts";

/** Behind what the node is there for, but not starved on a busy one. */
const BACKGROUND = 10;
/** Nearly starved beside anybody who works. */
const ASIDE = 19;

/**
 * Puts a process that was just started behind all others, as long as nobody waits for it. Where this process could not
 * bring it forward again (CAP_SYS_NICE), it goes to the background at once. Threads that it starts follow. Never throws.
 */
export function setAside(pid: number): void {
  const priority = missingCapabilities(["CAP_SYS_NICE"]).length === 0 ? ASIDE : BACKGROUND;
  for (const thread of threadsOf(pid)) change(thread, priority);
}

/** Gives a process that was set aside its usual share, because somebody waits for it now. Never throws. */
export function bringForward(pid: number): void {
  for (const thread of threadsOf(pid)) change(thread, BACKGROUND);
}

/** Each thread has a priority of its own on Linux. */
function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [];
  }
}

function change(pid: number, priority: number): void {
  try {
    setPriority(pid, priority);
  } catch {
    // It has ended, or its priority is no business of this process.
  }
}
