// How many dumps one workload may leave in a window. Pure: the state comes in and goes out; who keeps it on
// the disk is the composer's crash-loop.ts.
import * as v from "valibot";

export interface CrashLoopLimit {
  /** Dumps in a window; 0 is no limit. */
  limit: number;
  windowMs: number;
}

const workloadSchema = v.object({
  /** When its dumps of the window were collected, oldest first, in ms since the epoch. */
  collectedMs: v.array(v.number()),
  /** Crashes not collected since the last one that was. */
  suppressed: v.number(),
});

export const crashLoopSchema = v.record(v.string(), workloadSchema);

/** By workload key. */
export type CrashLoopState = v.InferOutput<typeof crashLoopSchema>;

export type CrashLoopVerdict =
  /** `suppressedBefore`: crashes of this workload that were left out since its last dump. */
  { kind: "collect"; suppressedBefore: number } | { kind: "suppress"; suppressed: number };

/** Workloads that are remembered; the ones longest silent are forgotten first. */
const WORKLOADS_MAX = 500;

/** Judges one crash at nowMs and returns the state that holds it. */
export function judgeCrash(
  state: CrashLoopState,
  workload: string,
  nowMs: number,
  { limit, windowMs }: CrashLoopLimit,
): { verdict: CrashLoopVerdict; state: CrashLoopState } {
  const known = state[workload] ?? { collectedMs: [], suppressed: 0 };
  const recent = recentOf(known.collectedMs, nowMs, windowMs);
  if (limit > 0 && recent.length >= limit) {
    const suppressed = known.suppressed + 1;
    const next = { collectedMs: recent, suppressed };
    return {
      verdict: { kind: "suppress", suppressed },
      state: trim({ ...state, [workload]: next }, nowMs, windowMs),
    };
  }
  const next = { collectedMs: [...recent, nowMs], suppressed: 0 };
  return {
    verdict: { kind: "collect", suppressedBefore: known.suppressed },
    state: trim({ ...state, [workload]: next }, nowMs, windowMs),
  };
}

/** Whether a crash of some workload would be left out now. */
export function isAnyLimited(
  state: CrashLoopState,
  nowMs: number,
  { limit, windowMs }: CrashLoopLimit,
): boolean {
  return Object.values(state).some(
    ({ collectedMs }) => recentOf(collectedMs, nowMs, windowMs).length >= limit,
  );
}

/** A time in the future is of a clock that was set back: it must not count for ever. */
function recentOf(times: readonly number[], nowMs: number, windowMs: number): number[] {
  return times.filter((at) => at > nowMs - windowMs && at <= nowMs);
}

/** Without the workloads whose window is over and that owe no report, and not more than WORKLOADS_MAX. */
function trim(state: CrashLoopState, nowMs: number, windowMs: number): CrashLoopState {
  const alive = Object.entries(state).filter(
    ([, { collectedMs, suppressed }]) => suppressed > 0 || lastOf(collectedMs) > nowMs - windowMs,
  );
  const newestFirst = alive.sort(([, a], [, b]) => lastOf(b.collectedMs) - lastOf(a.collectedMs));
  return Object.fromEntries(newestFirst.slice(0, WORKLOADS_MAX));
}

function lastOf(times: readonly number[]): number {
  return times.at(-1) ?? 0;
}
