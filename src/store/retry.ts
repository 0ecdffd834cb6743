// Retries a request a few times within one attempt at a file, with backoff and full jitter, for failures that pass. A
// failure that lasts longer ends the attempt, and delivery tries the file again later.
import { planBackoff } from "../model/backoff.ts";
import type { Log } from "../host/log.ts";
import { pause } from "../host/timer.ts";
import { describeError } from "../model/app-error.ts";
import { StoreError } from "./store-error.ts";

const ATTEMPTS = 5;
const LIMITS = { baseMs: 250, capMs: 10_000 };
/** The longest wait in ms. A store that asks for a longer one ends the attempt at the file. */
const LONGEST_PAUSE_MS = 20_000;

/**
 * Runs `work`, and again after a transient StoreError. Throws the last error, or StoreError "aborted" after the signal.
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  { signal, log }: { signal: AbortSignal; log: Log },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreError) || !error.transient || attempt === ATTEMPTS) throw error;
      const pauseMs = planBackoff(attempt, LIMITS, Math.random, error.retryAfterMs);
      if (pauseMs > LONGEST_PAUSE_MS) throw error;
      log.debug("request_retried", { attempt, pause_ms: pauseMs, error: describeError(error) });
      await pause(pauseMs, signal);
      if (signal.aborted) throw new StoreError("aborted", "stopped while waiting to try again");
    }
  }
}
