// Which bugs have left whole dumps lately, for whoever keeps only the first few of each (COMP_KEEP_PER_BUG). Counted by
// tenant: what a crash's stack looks like is its process's own choice, so nobody's crash may use up what another's may
// leave. Pure: takes the state and returns it; src/composer/known-bug-limit.ts keeps it on the disk. As JSON it stays
// below some 500 KB, whatever crashes.
import * as v from "valibot";

/** The owner's limit. */
export interface KnownBugLimits {
  /** Whole dumps of one bug in a window. */
  keep: number;
  windowMs: number;
  /** After this time a dump that is still not settled will never be: its composer was killed. */
  takesMs: number;
}

/** One crash with its bug. */
export interface BugCrash {
  /** Whoever shares what the limit allows; as tenantOf (src/composer/dumps-at-once.ts) has it. */
  tenant: string;
  bug: string;
  /** The dump's. */
  uuid: string;
}

const bugSchema = v.object({
  /** When each dump was begun (ms since the epoch), and its uuid while it is under way; "" for a whole one. */
  dumps: v.array(v.tuple([v.number(), v.string()])),
  /** Cores left out since the last dump that was kept. */
  leftOut: v.number(),
});

/** Checks the state's shape when it is read. */
export const knownBugsSchema = v.record(v.string(), v.record(v.string(), bugSchema));

/** By tenant; in it, by bug. */
export type KnownBugs = v.InferOutput<typeof knownBugsSchema>;
type Bug = v.InferOutput<typeof bugSchema>;

/** Whether a crash's core is kept. */
export type BugVerdict =
  | { kind: "keep" }
  /** `dumps` of this bug are there or under way; `leftOut` cores were left out since, this one included. */
  | { kind: "known"; dumps: number; leftOut: number };

/** How many bugs the state holds in all. Beyond it, the tenant that has most of them loses the one it met first. */
const BUGS_MAX = 250;

/** Judges one crash at nowMs. Returns the verdict and the state that includes the crash. */
export function judgeBug(
  state: KnownBugs,
  { tenant, bug, uuid }: BugCrash,
  nowMs: number,
  limits: KnownBugLimits,
): { verdict: BugVerdict; state: KnownBugs } {
  const current = currentOf(state, nowMs, limits);
  const bugs = (current[tenant] ??= {});
  const known = (bugs[bug] ??= { dumps: [], leftOut: 0 });
  const dumps = known.dumps.length;
  if (dumps >= limits.keep) {
    known.leftOut++;
    return { verdict: { kind: "known", dumps, leftOut: known.leftOut }, state: trim(current) };
  }
  known.dumps.push([nowMs, uuid]);
  known.leftOut = 0;
  return { verdict: { kind: "keep" }, state: trim(current) };
}

/** Returns the state after a dump that judgeBug let be kept: a whole one counts on, another does not. */
export function settleBug(state: KnownBugs, crash: BugCrash, isWhole: boolean): KnownBugs {
  const known = state[crash.tenant]?.[crash.bug];
  if (known === undefined) return state;
  const dumps = known.dumps.flatMap(([beganMs, uuid]): [number, string][] => {
    if (uuid !== crash.uuid) return [[beganMs, uuid]];
    return isWhole ? [[beganMs, ""]] : [];
  });
  const settled = { ...known, dumps };
  return { ...state, [crash.tenant]: { ...state[crash.tenant], [crash.bug]: settled } };
}

/** Returns a copy without dumps before the window, those of killed composers, and bugs that have none left. */
function currentOf(
  state: KnownBugs,
  nowMs: number,
  { keep, windowMs, takesMs }: KnownBugLimits,
): KnownBugs {
  // A dump in the future comes from before the clock was set back; without this it would count for ever.
  const counts = ([beganMs, uuid]: [number, string]) =>
    beganMs <= nowMs && beganMs > nowMs - (uuid === "" ? windowMs : Math.min(windowMs, takesMs));
  const current: KnownBugs = {};
  for (const [tenant, bugs] of Object.entries(state)) {
    const kept = Object.entries(bugs).flatMap(([name, { dumps, leftOut }]) => {
      const counted = dumps.filter(counts).slice(-keep);
      return counted.length === 0 ? [] : [[name, { dumps: counted, leftOut }] as const];
    });
    if (kept.length > 0) current[tenant] = Object.fromEntries(kept);
  }
  return current;
}

/** Removes bugs beyond BUGS_MAX. Changes and returns the state. */
function trim(state: KnownBugs): KnownBugs {
  const sizeOf = (tenant: string) => Object.keys(state[tenant] ?? {}).length;
  let bugs = Object.keys(state).reduce((sum, tenant) => sum + sizeOf(tenant), 0);
  for (; bugs > BUGS_MAX; bugs--) {
    const largest = Object.keys(state).reduce((most, one) =>
      sizeOf(one) > sizeOf(most) ? one : most,
    );
    const own = state[largest] ?? {};
    delete own[metFirst(own)];
    if (sizeOf(largest) === 0) delete state[largest];
  }
  return state;
}

function metFirst(bugs: Readonly<Record<string, Bug>>): string {
  const lastMs = ([, { dumps }]: [string, Bug]) => dumps.at(-1)?.[0] ?? 0;
  return Object.entries(bugs).reduce((a, b) => (lastMs(b) < lastMs(a) ? b : a))[0];
}
