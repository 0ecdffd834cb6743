// One line of HOST_DIR/composer.log. The composer records each crash there; the listener does it for a composer that
// could not begin. The agent counts and repeats these lines; the doctor and `crash-test` follow a crash by them.
import * as v from "valibot";
import { oneLine } from "./printable.ts";

/** The levels of a record, from the least to the most serious. */
export const LEVELS = ["debug", "info", "warn", "error"] as const;
/** One of LEVELS. */
export type Level = (typeof LEVELS)[number];

/** The formatter cuts longer texts, in characters. Escaped, a text may become six times as long. */
const TEXT_MAX_CHARACTERS = 512;

/** A field of another type than ours reads as nothing: the line may come from another version, or be damaged. */
const text = v.fallback(v.string(), "");
const textOrNull = v.fallback(v.nullable(v.string()), null);
const number = v.fallback(v.number(), 0);
const numberOrNull = v.fallback(v.nullable(v.number()), null);
const flagOrNull = v.fallback(v.nullable(v.boolean()), null);
const onlyTrue = v.optional(v.fallback(v.optional(v.literal(true)), undefined));

/** The pod whose crashes are too many, and whether the workload's or the namespace's limit is reached. */
const limited = { namespace: textOrNull, podname: textOrNull, by: text };

/** Every event with the fields that it carries; docs/operations.md explains each, and a test holds it to that. */
export const CRASH_EVENTS = {
  /** A crash arrived. `canary` is true for the doctor's own. */
  dump_started: v.object({
    canary: onlyTrue,
    source: text,
    exe: text,
    pid: v.optional(numberOrNull),
    host_pid: numberOrNull,
    signal: v.optional(numberOrNull),
    hostname: v.optional(text),
  }),
  /** The crash's zip is in CORE_DIR. Sizes are in bytes. */
  dump_published: v.object({
    canary: onlyTrue,
    zip: text,
    namespace: textOrNull,
    podname: textOrNull,
    core_bytes: number,
    core_complete: flagOrNull,
    truncated_by: textOrNull,
    zip_bytes: number,
    missing: text,
    title: v.optional(textOrNull),
    crash_function: v.optional(textOrNull),
    bug: v.optional(textOrNull),
    exact: v.optional(textOrNull),
    drained_ms: number,
    total_ms: number,
  }),
  /** A rule of the owner's leaves the crash out. `refused` is true where the kernel sent nothing of the core. */
  dump_skipped: v.object({
    reason: text,
    namespace: v.optional(textOrNull),
    refused: onlyTrue,
    core_bytes: v.optional(number),
    /** Present only where a rule left out a crash whose pod is unknown: what is known or guessed about the pod. */
    pod_uid: v.optional(textOrNull),
    container_id: v.optional(textOrNull),
    cgroup: v.optional(textOrNull),
    /** As namespace/name. */
    guessed_pod: v.optional(textOrNull),
  }),
  /** The composer could keep nothing of the crash. */
  dump_failed: v.object({ error: text, namespace: v.optional(textOrNull) }),
  /**
   * A limit leaves the crash out: the crash loop's (with workload, suppressed, window_s), or the limit of dumps at
   * once.
   */
  dump_suppressed: v.object({
    ...limited,
    limit: number,
    workload: v.optional(text),
    suppressed: v.optional(number),
    window_s: v.optional(number),
  }),
  /** The core of a bug that has left `dumps` whole ones in window_s is left out; `left_out` since the last of them. */
  core_left_out: v.object({
    namespace: textOrNull,
    podname: textOrNull,
    bug: text,
    dumps: number,
    left_out: number,
    window_s: number,
  }),
  crash_loop_over: v.object({ ...limited, workload: text, suppressed: number }),
  /** An older dump gave way to this one. */
  dump_evicted: v.object({
    zip: text,
    bytes: number,
    workload: text,
    namespace: textOrNull,
    age_s: number,
  }),
  /** Mapped files of the crash were copied for debuggers. */
  modules_kept: v.object({ count: number, bytes: number }),
  /** Mapped files were not copied, the first of them for this reason. */
  modules_left_out: v.object({ count: number, why: text }),
  /** The composer killed the crashed process, because the kernel went on writing a core that no one reads. */
  process_killed: v.object({ host_pid: numberOrNull }),
  process_not_killed: v.object({ host_pid: numberOrNull }),
  core_drained: v.object({ end: text, core_bytes: number }),
  /** A core is not spooled any more, for a while or for good: its reading waits for the compressor. */
  spool_paused: v.object({ why: text }),
  bad_setting: v.object({ complaint: text }),
  crash_unknown: v.object({ complaint: text }),
  event_failed: v.object({ error: text }),
  crash_loop_unknown: v.object({ error: text }),
  known_bugs_unknown: v.object({ error: text }),
  dumps_at_once_unknown: v.object({ error: text }),
  disk_limits_unknown: v.object({ error: text }),
  previous_handler_failed: v.object({ program: text, error: text }),
} as const;

/** The name of an event. */
export type CrashEvent = keyof typeof CRASH_EVENTS;
/** The fields that an event carries. */
export type CrashFields<Event extends CrashEvent> = Readonly<
  v.InferOutput<(typeof CRASH_EVENTS)[Event]>
>;

interface RecordHead {
  /** ISO 8601. */
  time: string;
  level: Level;
  /** The dump's uuid. */
  uuid: string;
}

/** A record of any event; `event` is the discriminator. */
export type CrashRecord = {
  [Event in CrashEvent]: RecordHead & { event: Event } & CrashFields<Event>;
}[CrashEvent];

/** The events that are the last for a crash. */
export const CRASH_ENDS = ["dump_published", "dump_skipped", "dump_failed"] as const;

/** A record that is the last one for its crash. */
export type CrashEnd = Extract<CrashRecord, { event: (typeof CRASH_ENDS)[number] }>;

/** Returns whether a record is the last one for its crash. */
export function isCrashEnd(record: CrashRecord): record is CrashEnd {
  return CRASH_ENDS.some((event) => event === record.event);
}

/** Writes the line with its line feed. No text in it can end the line or forge a field. */
export function formatCrashRecord<Event extends CrashEvent>(
  head: RecordHead,
  event: Event,
  fields: CrashFields<Event>,
): string {
  const { time, level, uuid } = head;
  const cut = Object.entries(fields).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === "string" ? value.slice(0, TEXT_MAX_CHARACTERS) : value,
  ]);
  const record = { time, level, event, uuid, ...Object.fromEntries(cut) };
  return `${oneLine(JSON.stringify(record))}\n`;
}

const headSchema = v.looseObject({
  time: text,
  level: v.fallback(v.picklist(LEVELS), "info"),
  uuid: text,
  event: text,
});

/** A line with every field that it has, whichever version wrote it. */
export type LooseRecord = v.InferOutput<typeof headSchema>;

/** Parses a line; undefined for one that is no JSON object, such as a line that a crash of the node has cut. */
export function parseLooseRecord(line: string): LooseRecord | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return Array.isArray(parsed) ? undefined : v.parse(headSchema, parsed);
  } catch {
    return undefined;
  }
}

/** Returns the typed record in a line; undefined for an event that this version does not know. */
export function asCrashRecord(loose: LooseRecord): CrashRecord | undefined {
  const { event, time, level, uuid } = loose;
  if (!Object.hasOwn(CRASH_EVENTS, event)) return undefined;
  const parsed = v.safeParse(CRASH_EVENTS[event as CrashEvent], loose);
  return parsed.success
    ? ({ time, level, uuid, event, ...parsed.output } as CrashRecord)
    : undefined;
}

/**
 * Parses a line into a typed record; undefined for a line that is cut, and for an event that this version does not
 * know.
 */
export function parseCrashRecord(line: string): CrashRecord | undefined {
  const loose = parseLooseRecord(line);
  return loose === undefined ? undefined : asCrashRecord(loose);
}
