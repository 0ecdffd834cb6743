// When to try again: exponential backoff with full jitter, so that many nodes that failed together do
// not come back together ("Exponential Backoff And Jitter", AWS Architecture Blog).

/** The ceilings of the waits between retries, in ms. */
export interface BackoffLimits {
  /** The ceiling before the first retry; it doubles with each one. */
  baseMs: number;
  /** The ceiling that is never passed. */
  capMs: number;
}

/**
 * The delay in ms before retry number `attempt` (from 1): uniform between 0 and the doubling ceiling. `random` returns
 * a number in [0, 1). The delay is never shorter than the wait that the server asked for.
 */
export function planBackoff(
  attempt: number,
  { baseMs, capMs }: BackoffLimits,
  random: () => number,
  askedForMs = 0,
): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
  return Math.max(askedForMs, Math.round(random() * ceilingMs));
}
