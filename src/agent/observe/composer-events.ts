// What the composers on this node report, as the agent's own log lines and metrics.
import type { Log } from "../../host/log.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import type { DumpsUnderWay } from "./dumps-under-way.ts";

export interface ComposerEvents {
  /** One line of composer.log. */
  take(line: string): void;
}

type ComposerRecord = Record<string, unknown>;

const OUTCOMES: Record<string, string> = {
  dump_published: "published",
  dump_skipped: "skipped",
  dump_failed: "failed",
};

export function openComposerEvents(
  log: Log,
  metrics: AgentMetrics,
  underWay: DumpsUnderWay,
): ComposerEvents {
  let canary: string | undefined;

  function take(line: string): void {
    const record = parseRecord(line);
    if (record === undefined) {
      log.warn("composer_line", { line });
      return;
    }
    repeat(log, record);
    count(record);
  }

  function count(record: ComposerRecord): void {
    const [event, uuid] = [text(record["event"]), text(record["uuid"])];
    // The doctor's own crash is nobody's. Its start says so; what follows is known by its uuid.
    if (event === "dump_started" && record["canary"] === true) canary = uuid;
    if (uuid !== "" && uuid === canary) return;
    if (event === "dump_started") {
      metrics.started.add();
      const [exe, signal] = [text(record["exe"]), text(record["signal"])];
      underWay.begin({ uuid, exe, signal, sinceMs: Date.now() });
      return;
    }
    const namespace = text(record["namespace"]);
    // It is followed by the dump_skipped that ends the story.
    if (event === "dump_suppressed") metrics.suppressed.add(1, { namespace });
    if (event === "dump_evicted") countEvicted(metrics, namespace, number(record["bytes"]));
    const outcome = OUTCOMES[event];
    if (outcome === undefined) return;
    metrics.ended.add(1, { outcome, namespace, signal: underWay.end(uuid)?.signal ?? "" });
    if (outcome === "published") countPublished(record);
  }

  function countPublished(record: ComposerRecord): void {
    metrics.coreBytes.add(number(record["core_bytes"]));
    metrics.zipBytes.add(number(record["zip_bytes"]));
    metrics.drainSeconds.observe(number(record["drained_ms"]) / 1000);
    if (record["truncated_by"] !== null && record["truncated_by"] !== undefined)
      metrics.truncated.add(1, { by: text(record["truncated_by"]) });
  }

  return { take };
}

export function countEvicted(metrics: AgentMetrics, namespace: string, sizeBytes: number): void {
  metrics.evicted.add(1, { namespace });
  metrics.evictedBytes.add(sizeBytes);
}

/** The line under its own event and level; `at` is when the composer wrote it. */
function repeat(log: Log, { time, level, event, ...rest }: ComposerRecord): void {
  const fields: Record<string, string | number | boolean | null> = { source: "composer" };
  if (typeof time === "string") fields["at"] = time;
  for (const [key, value] of Object.entries(rest)) fields[key] = scalar(value);
  if (level === "error") log.error(text(event), fields);
  else if (level === "warn") log.warn(text(event), fields);
  else log.info(text(event), fields);
}

function parseRecord(line: string): ComposerRecord | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    const isRecord = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    return isRecord ? (parsed as ComposerRecord) : undefined;
  } catch {
    return undefined; // cut by a crash of the node
  }
}

function scalar(value: unknown): string | number | boolean | null {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
    return value;
  return value === null || value === undefined ? null : JSON.stringify(value);
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
