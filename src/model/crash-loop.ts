// How many dumps one workload, and all workloads of one namespace, may leave in a window. Pure: takes the state and
// returns it; src/composer/crash-loop-limit.ts keeps it on the disk. As JSON the state stays below some 300 KB, however many
// workloads there are and however often they crash.
import * as v from "valibot";

/** The owner's limits, and the window that they apply to. */
export interface CrashLoopLimits {
  /** Dumps of one workload in a window; 0 turns both limits off. */
  perWorkload: number;
  /** Dumps of one namespace in a window; 0 is no limit. */
  perNamespace: number;
  windowMs: number;
}

/** One crash that is to be counted. */
export interface CountedCrash {
  /** As namespaceOwner (dump-owner.ts) has it. */
  namespace: string;
  /** A short name for the workload, such as its hash. */
  workload: string;
}

const counted = {
  /** Dumps collected, by the parts of the window: when the part began (ms since the epoch) and how many. */
  parts: v.array(v.tuple([v.number(), v.number()])),
  /** Crashes not collected since the last one that was. */
  suppressed: v.number(),
};
const countSchema = v.object(counted);
const namespaceSchema = v.object({ ...counted, workloads: v.record(v.string(), countSchema) });

/** Checks the state's shape when it is read from crash-loop.json. */
export const crashLoopSchema = v.record(v.string(), namespaceSchema);

/** By namespace; in it, by workload. */
export type CrashLoopState = v.InferOutput<typeof crashLoopSchema>;
type Count = v.InferOutput<typeof countSchema>;
type NamespaceCount = v.InferOutput<typeof namespaceSchema>;

/** Whether to collect a crash's dump. */
export type CrashLoopVerdict =
  /** Crashes that were left out since the last dump: the workload's, and those over the namespace's limit. */
  | { kind: "collect"; suppressedBefore: { workload: number; namespace: number } }
  | { kind: "suppress"; by: "workload" | "namespace"; suppressed: number };

/** A dump counts for its window and up to one part longer. */
const PARTS_IN_WINDOW = 16;
/** After the owner changed the window's length, the state holds parts of both lengths. */
const PARTS_MAX = 2 * PARTS_IN_WINDOW;
/**
 * How many workloads the state holds in all. Beyond it, the namespace that has most of them loses the one whose last
 * crash is longest ago.
 */
const WORKLOADS_MAX = 500;
const NAMESPACES_MAX = 250;

/** Judges one crash at nowMs (ms since the epoch). Returns the verdict and the state that includes the crash. */
export function judgeCrash(
  state: CrashLoopState,
  crash: CountedCrash,
  nowMs: number,
  limits: CrashLoopLimits,
): { verdict: CrashLoopVerdict; state: CrashLoopState } {
  const { windowMs } = limits;
  const current = currentOf(state, nowMs, windowMs);
  const namespace = current[crash.namespace] ?? { parts: [], suppressed: 0, workloads: {} };
  const workload = namespace.workloads[crash.workload] ?? { parts: [], suppressed: 0 };
  current[crash.namespace] = namespace;
  namespace.workloads[crash.workload] = workload;
  const by = limitReached(namespace, workload, limits);
  if (by !== undefined) {
    const suppressed = ++(by === "workload" ? workload : namespace).suppressed;
    return { verdict: { kind: "suppress", by, suppressed }, state: trim(current) };
  }
  const suppressedBefore = { workload: workload.suppressed, namespace: namespace.suppressed };
  for (const count of [workload, namespace]) {
    count.suppressed = 0;
    addTo(count, nowMs, windowMs);
  }
  return { verdict: { kind: "collect", suppressedBefore }, state: trim(current) };
}

/** Returns whether the limits would leave out a crash of any workload now. */
export function isAnyLimited(
  state: CrashLoopState,
  nowMs: number,
  limits: CrashLoopLimits,
): boolean {
  return Object.values(currentOf(state, nowMs, limits.windowMs)).some((namespace) =>
    [{ parts: [], suppressed: 0 }, ...Object.values(namespace.workloads)].some(
      (workload) => limitReached(namespace, workload, limits) !== undefined,
    ),
  );
}

function limitReached(
  namespace: Count,
  workload: Count,
  { perWorkload, perNamespace }: CrashLoopLimits,
): "workload" | "namespace" | undefined {
  if (perWorkload === 0) return undefined;
  if (collected(workload) >= perWorkload) return "workload";
  return perNamespace > 0 && collected(namespace) >= perNamespace ? "namespace" : undefined;
}

function collected({ parts }: Count): number {
  return parts.reduce((sum, [, dumps]) => sum + dumps, 0);
}

function addTo({ parts }: Count, nowMs: number, windowMs: number): void {
  const partMs = windowMs / PARTS_IN_WINDOW;
  const beganMs = Math.floor(nowMs / partMs) * partMs;
  const last = parts.at(-1);
  if (last !== undefined && last[0] === beganMs) last[1]++;
  else parts.push([beganMs, 1]);
}

/**
 * Returns a copy without parts before the window, and without workloads that have no part left and no crash to report.
 */
function currentOf(state: CrashLoopState, nowMs: number, windowMs: number): CrashLoopState {
  const partMs = windowMs / PARTS_IN_WINDOW;
  const countOf = ({ parts, suppressed }: Count): Count => ({
    // A part in the future comes from before the clock was set back; without this it would count for ever.
    parts: parts
      .filter(([beganMs]) => beganMs + partMs > nowMs - windowMs && beganMs <= nowMs)
      .map(([beganMs, dumps]): [number, number] => [beganMs, dumps])
      .slice(-PARTS_MAX),
    suppressed,
  });
  const isAlive = ({ parts, suppressed }: Count) => parts.length > 0 || suppressed > 0;
  const current: CrashLoopState = {};
  for (const [name, namespace] of Object.entries(state)) {
    const workloads = Object.entries(namespace.workloads)
      .map(([key, workload]) => [key, countOf(workload)] as const)
      .filter(([, workload]) => isAlive(workload));
    const kept = { ...countOf(namespace), workloads: Object.fromEntries(workloads) };
    if (isAlive(kept) || workloads.length > 0) current[name] = kept;
  }
  return current;
}

/** Removes workloads beyond WORKLOADS_MAX. Changes and returns the state. */
function trim(state: CrashLoopState): CrashLoopState {
  const namespaces = Object.values(state);
  let workloads = namespaces.reduce((sum, one) => sum + sizeOf(one), 0);
  for (; workloads > WORKLOADS_MAX; workloads--) {
    const largest = namespaces.reduce((most, one) => (sizeOf(one) > sizeOf(most) ? one : most));
    delete largest.workloads[longestSilent(largest.workloads)];
  }
  while (Object.keys(state).length > NAMESPACES_MAX) delete state[longestSilent(state)];
  return state;
}

function sizeOf({ workloads }: NamespaceCount): number {
  return Object.keys(workloads).length;
}

function longestSilent(counts: Readonly<Record<string, Count>>): string {
  const lastMs = ([, { parts }]: [string, Count]) => parts.at(-1)?.[0] ?? 0;
  const silent = Object.entries(counts).reduce((a, b) => (lastMs(b) < lastMs(a) ? b : a));
  return silent[0];
}
