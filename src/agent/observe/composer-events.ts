// Turns the composers' records into the agent's own log lines and metrics.
import type { Log } from "../../host/log.ts";
import {
  asCrashRecord,
  isCrashEnd,
  parseLooseRecord,
  type CrashEnd,
  type CrashRecord,
  type LooseRecord,
} from "../../model/crash-record.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import type { DumpsUnderWay } from "./dumps-under-way.ts";

/** Takes the lines of composer.log. */
export interface ComposerEvents {
  /** Takes one line of composer.log. */
  take(line: string): void;
}

const OUTCOMES = {
  dump_published: "published",
  dump_skipped: "skipped",
  dump_failed: "failed",
} as const;

/** Opens the counting; changes `metrics` and the dumps under way, and writes to `log`. */
export function openComposerEvents(
  log: Log,
  metrics: AgentMetrics,
  underWay: DumpsUnderWay,
): ComposerEvents {
  let canary: string | undefined;

  function take(line: string): void {
    const loose = parseLooseRecord(line);
    if (loose === undefined) {
      log.warn("composer_line", { line });
      return;
    }
    repeat(log, loose);
    const record = asCrashRecord(loose);
    if (record !== undefined) count(record);
  }

  function count(record: CrashRecord): void {
    const { event, uuid } = record;
    // The doctor's own crash does not count. Its first record marks it as a canary, and its uuid identifies the later
    // ones.
    if (event === "dump_started" && record.canary === true) canary = uuid;
    if (uuid !== "" && uuid === canary) return;
    if (event === "dump_started") {
      metrics.started.add();
      const { exe, signal } = record;
      underWay.begin({ uuid, exe, signal: String(signal ?? ""), sinceMs: Date.now() });
    }
    // A dump_skipped follows, which is the crash's last record.
    if (event === "dump_suppressed")
      metrics.suppressed.add(1, { namespace: record.namespace ?? "" });
    if (event === "core_left_out")
      metrics.coresLeftOut.add(1, { namespace: record.namespace ?? "" });
    if (event === "dump_evicted") countEvicted(metrics, record.namespace ?? "", record.bytes);
    if (isCrashEnd(record)) countEnd(record);
  }

  function countEnd(record: CrashEnd): void {
    const signal = underWay.end(record.uuid)?.signal ?? "";
    const namespace = record.namespace ?? "";
    metrics.ended.add(1, { outcome: OUTCOMES[record.event], namespace, signal });
    if (record.event !== "dump_published") return;
    metrics.coreBytes.add(record.core_bytes);
    metrics.zipBytes.add(record.zip_bytes);
    metrics.drainSeconds.observe(record.drained_ms / 1000);
    if (record.truncated_by !== null) metrics.truncated.add(1, { by: record.truncated_by });
  }

  return { take };
}

/** Counts an evicted dump. */
export function countEvicted(metrics: AgentMetrics, namespace: string, sizeBytes: number): void {
  metrics.evicted.add(1, { namespace });
  metrics.evictedBytes.add(sizeBytes);
}

/** Logs a record with its own event and level; `at` is the time at which the composer wrote it. */
function repeat(log: Log, { time, level, event, ...rest }: LooseRecord): void {
  const fields: Record<string, string | number | boolean | null> = { source: "composer" };
  if (time !== "") fields["at"] = time;
  for (const [key, value] of Object.entries(rest)) fields[key] = scalar(value);
  if (level === "error") log.error(event, fields);
  else if (level === "warn") log.warn(event, fields);
  else log.info(event, fields);
}

function scalar(value: unknown): string | number | boolean | null {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  return value === null || value === undefined ? null : JSON.stringify(value);
}
