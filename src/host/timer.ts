// Timers that end with a signal, reach beyond setTimeout's 24 days, and can be waited for.

/** setTimeout's longest: 2^31 - 1 ms. */
const TIMER_MAX_MS = 2_147_483_647;

/** Calls `fire` once at a time of the clock. The clock may be set meanwhile: checked at least once a minute. */
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
  // Of a signal that lives as long as the agent: left behind, they would add up.
  signal.removeEventListener("abort", stop);
}
