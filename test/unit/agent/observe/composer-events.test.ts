import { beforeEach, expect, test } from "bun:test";
import { openAgentMetrics } from "../../../../src/agent/metrics/agent-metrics.ts";
import { openComposerEvents } from "../../../../src/agent/observe/composer-events.ts";
import { DumpsUnderWay } from "../../../../src/agent/observe/dumps-under-way.ts";
import { recordedLog, type RecordedLog } from "../../../support/recorded-log.ts";

let log: RecordedLog;
let metrics: ReturnType<typeof openAgentMetrics>;
let take: (record: object | string) => void;
beforeEach(() => {
  log = recordedLog();
  metrics = openAgentMetrics();
  const events = openComposerEvents(log, metrics, new DumpsUnderWay());
  take = (record) => events.take(typeof record === "string" ? record : JSON.stringify(record));
});
const samples = () =>
  metrics.registry
    .render()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));

test("a crash is told from its start to its end", () => {
  const time = "2026-01-01T00:00:00.000Z";
  take({ time, level: "info", event: "dump_started", uuid: "u1", exe: "x\ny", signal: 11 });
  const published = { time, level: "info", event: "dump_published", uuid: "u1", zip: "u1.zip" };
  const core = { core_bytes: 1000, core_complete: false, truncated_by: "eof" };
  take({ ...published, ...core, namespace: "shop", zip_bytes: 100, drained_ms: 1500 });
  expect(log.names()).toEqual(["dump_started", "dump_published"]);
  expect(log.events[0]?.fields).toEqual({
    source: "composer",
    at: time,
    uuid: "u1",
    exe: "x\ny",
    signal: 11,
  });
  expect(samples()).toContain("core_dump_handler_crashes_total 1");
  expect(samples()).toContain(
    'core_dump_handler_dumps_total{outcome="published",namespace="shop",signal="11"} 1',
  );
  expect(samples()).toContain('core_dump_handler_dumps_truncated_total{by="eof"} 1');
  expect(samples()).toContain("core_dump_handler_core_bytes_total 1000");
  expect(samples()).toContain("core_dump_handler_drain_seconds_sum 1.5");
});

test("dumps that were skipped, suppressed or failed are counted as such", () => {
  for (const event of ["dump_suppressed", "dump_skipped", "dump_failed"])
    take({ level: "warn", event, uuid: "u", namespace: "shop" });
  for (const outcome of ["skipped", "failed"])
    expect(samples()).toContain(
      `core_dump_handler_dumps_total{outcome="${outcome}",namespace="shop",signal=""} 1`,
    );
  expect(samples()).toContain('core_dump_handler_dumps_suppressed_total{namespace="shop"} 1');
});

test("a thousand crashes whose composers were killed do not hide the signal of the next", () => {
  for (let crash = 0; crash < 1500; crash++)
    take({ level: "info", event: "dump_started", uuid: `killed-${crash}`, signal: 6 });
  take({ level: "info", event: "dump_started", uuid: "u", signal: 11 });
  take({ level: "info", event: "dump_published", uuid: "u", namespace: "shop" });
  expect(samples()).toContain(
    'core_dump_handler_dumps_total{outcome="published",namespace="shop",signal="11"} 1',
  );
});

test("an eviction by a composer is counted with its bytes", () => {
  take({ level: "warn", event: "dump_evicted", uuid: "u", namespace: "shop", bytes: 4096 });
  expect(samples()).toContain('core_dump_handler_dumps_evicted_total{namespace="shop"} 1');
  expect(samples()).toContain("core_dump_handler_dumps_evicted_bytes_total 4096");
});

test("the composer's level is kept", () => {
  for (const level of ["info", "warn", "error"]) take({ level, event: "bad_setting" });
  expect(log.events.map(({ level }) => level)).toEqual(["info", "warn", "error"]);
});

test.each(["", "{", "[1]", "null", '"text"', "not json"])("%p is passed on as a line", (line) => {
  take(line);
  expect(log.events).toEqual([{ level: "warn", event: "composer_line", fields: { line } }]);
});
