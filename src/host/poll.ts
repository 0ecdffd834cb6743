// Work that is done again and again until a signal: never twice at once, and one failure does not end it.
import { describeError } from "../model/app-error.ts";
import type { Log } from "./log.ts";
import { pause } from "./timer.ts";

/** Runs `work` now and then `everyMs` after each end of it. Settles after the signal, with nothing under way. */
export async function pollUntil(
  signal: AbortSignal,
  everyMs: number,
  what: string,
  log: Log,
  work: () => Promise<unknown>,
): Promise<void> {
  let lastError = "";
  while (!signal.aborted) {
    try {
      await work();
      lastError = "";
    } catch (error) {
      const text = describeError(error);
      // A state that lasts is said once, not at every turn.
      if (text !== lastError) log.error(`${what}_failed`, { error: text });
      lastError = text;
    }
    await pause(everyMs, signal);
  }
}
