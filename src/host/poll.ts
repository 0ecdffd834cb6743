// Repeats work until a signal. Never runs it twice at once, and continues after a failure.
import { describeError } from "../model/app-error.ts";
import type { Log } from "./log.ts";
import { pause } from "./timer.ts";

/**
 * Runs `work` at once and then again `everyMs` after each end of it. Logs a failure of it. Settles after the signal,
 * when no work is under way. Never rejects.
 */
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
      // Logs an error that lasts once and not at every turn.
      if (text !== lastError) log.error(`${what}_failed`, { error: text });
      lastError = text;
    }
    await pause(everyMs, signal);
  }
}
