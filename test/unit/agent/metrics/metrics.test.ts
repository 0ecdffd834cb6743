import { expect, test } from "bun:test";
import parsePrometheus from "parse-prometheus-text-format";
import { openAgentMetrics } from "../../../../src/agent/metrics/agent-metrics.ts";
import { MetricRegistry } from "../../../../src/agent/metrics/metric-registry.ts";

test("every metric of the agent is read by a parser that is not ours", () => {
  const metrics = openAgentMetrics();
  metrics.ended.add(2, { outcome: "published", namespace: "shop", signal: "11" });
  metrics.drainSeconds.observe(0.3);
  metrics.drainSeconds.observe(7);
  const families = parsePrometheus(metrics.registry.render());
  expect(families.map(({ name }) => name)).toEqual(metrics.registry.names());
  for (const { name, help, type } of families) {
    expect(help).not.toBe("");
    expect(type === "COUNTER").toBe(name.endsWith("_total"));
  }
  const byName = new Map(families.map((family) => [family.name, family.metrics]));
  expect(byName.get("core_dump_handler_dumps_total")).toEqual([
    { value: "2", labels: { outcome: "published", namespace: "shop", signal: "11" } },
  ]);
  expect(byName.get("core_dump_handler_crashes_total")).toEqual([{ value: "0" }]);
  expect(byName.get("core_dump_handler_drain_seconds")).toEqual([
    expect.objectContaining({ count: "2", sum: "7.3" }),
  ]);
});

test("hostile label values come through as they are, on their own line", () => {
  const registry = new MetricRegistry();
  const hostile = 'a"b\\c\nd{e="f"} 1';
  registry.counter("x_total", "X.", ["namespace"]).add(1, { namespace: hostile });
  const [family] = parsePrometheus(registry.render());
  expect(family?.metrics).toEqual([{ value: "1", labels: { namespace: hostile } }]);
  expect(registry.render().trimEnd().split("\n")).toHaveLength(3);
});

test("series beyond the limit are counted as other, so that memory has a bound", () => {
  const registry = new MetricRegistry();
  const counter = registry.counter("x_total", "X.", ["namespace"]);
  for (let index = 0; index < 2000; index++) counter.add(1, { namespace: `n${index}` });
  const [family] = parsePrometheus(registry.render());
  expect(family?.metrics).toHaveLength(501);
  expect(registry.render()).toContain('x_total{namespace="other"} 1500\n');
});

test("buckets of a histogram hold everything up to their bound", () => {
  const registry = new MetricRegistry();
  const histogram = registry.histogram("seconds", "S.", [1, 5]);
  for (const value of [0.5, 1, 3, 100]) histogram.observe(value);
  expect(registry.render().split("\n").slice(2, -1)).toEqual([
    'seconds_bucket{le="1"} 2',
    'seconds_bucket{le="5"} 3',
    'seconds_bucket{le="+Inf"} 4',
    "seconds_sum 104.5",
    "seconds_count 4",
  ]);
});
