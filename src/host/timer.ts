// Timers that end with a signal, that reach beyond setTimeout's 24 days, and that can be awaited.

/** setTimeout's longest: 2^31 - 1 ms. */
const TIMER_MAX_MS = 2_147_483_647;

/**
 * Calls `fire` once when the clock reaches atMs (ms since the epoch). Looks at the clock at least once a minute,
 * because somebody may set it.
 */
export function callAt(atMs: number, signal: AbortSignal, fire: () => void): void {
  if (signal.aborted) return;
  const leftMs = atMs - Date.now();
  if (leftMs <= 0) {
    fire();
    return;
  }
  const timer = setTimeout(
    () => {
      signal.removeEventListener("abort", cancel);
      callAt(atMs, signal, fire);
    },
    Math.min(leftMs, 60_000),
  );
  const cancel = () => clearTimeout(timer);
  signal.addEventListener("abort", cancel, { once: true });
}

/** Calls `fire` every `periodMs`, the first time after one period. */
export function callEvery(periodMs: number, signal: AbortSignal, fire: () => void): void {
  if (signal.aborted) return;
  const timer = setInterval(fire, Math.min(periodMs, TIMER_MAX_MS));
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

/** Settles after `ms`, or at once when the signal is aborted. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.min(ms, TIMER_MAX_MS));
  const stop = () => resolve();
  signal.addEventListener("abort", stop, { once: true });
  await promise;
  clearTimeout(timer);
  // The signal may live as long as the agent, so listeners that stay would add up.
  signal.removeEventListener("abort", stop);
}

/** Settles when the signal is aborted, or at once where it already is. Never rejects. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

/**
 * Returns the promise's value, or after `ms` what `late` returns or throws. The work behind the promise continues then,
 * and a later rejection is ignored.
 */
export async function within<T, U>(promise: Promise<T>, ms: number, late: () => U): Promise<T | U> {
  const expired = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => expired.resolve(undefined), Math.max(0, ms));
  try {
    const first = await Promise.race([promise.then((value) => ({ value })), expired.promise]);
    return first === undefined ? late() : first.value;
  } finally {
    clearTimeout(timer);
  }
}
