// Repeats work until a signal. Never runs it twice at once, and continues after a failure.
import { describeError } from "../model/app-error.ts";
import { LastingStates } from "./lasting-states.ts";
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
  const states = new LastingStates();
  while (!signal.aborted) {
    try {
      await work();
      states.end(what);
    } catch (error) {
      const text = describeError(error);
      // Logs an error that lasts once and not at every turn.
      if (states.isNews(what, text)) log.error(`${what}_failed`, { error: text });
    }
    await pause(everyMs, signal);
  }
}
