// Sums up the threads that did not crash: their innermost frames, and those that stand in the same place as one.
import type { CoreThread } from "./elf-core.ts";
import { summarizeFrame, type NamedFrame } from "./frame-symbols.ts";
import { hex, type SummaryThreads } from "../model/crash-summary.ts";

/** What is shown of a thread that did not crash. */
const THREAD_FRAMES = 16;

/** Returns the summary's entries for these threads; threads with the same stack share one. */
export function summarizeThreads(
  threads: readonly CoreThread[],
  stacks: readonly NamedFrame[][],
  names: ReadonlyMap<number, string>,
): SummaryThreads[] {
  const byStack = new Map<string, SummaryThreads>();
  for (const [index, { tid }] of threads.entries()) {
    const frames = stacks[index] ?? [];
    const key = frames.map(({ frame }) => hex(frame.programCounter)).join(" ");
    const known = byStack.get(key);
    if (known !== undefined) known.count++;
    else
      byStack.set(key, {
        tid,
        name: names.get(tid) ?? null,
        count: 1,
        frames: frames.slice(0, THREAD_FRAMES).map(summarizeFrame),
      });
  }
  return [...byStack.values()].sort((a, b) => b.count - a.count);
}
