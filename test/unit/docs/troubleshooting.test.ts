// docs/troubleshooting.md names what dump-info, composer.log and the doctor really say, and no other.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { ROOT } from "../../../build/targets.ts";
import { CHECKS } from "../../../src/agent/doctor/checks.ts";
import { openAgentMetrics } from "../../../src/agent/metrics/agent-metrics.ts";
import { CRASH_EVENTS } from "../../../src/model/crash-record.ts";
import { TRUNCATIONS } from "../../../src/model/dump-info.ts";

const PAGE = readFileSync(join(ROOT, "docs/troubleshooting.md"), "utf8");

/** The first cells of a table, between back-quotes. */
function firstCells(head: string): string[] {
  const table = PAGE.split(new RegExp(`\\|\\s+${head}\\s+\\|`))[1]?.split("\n\n")[0] ?? "";
  return [...table.matchAll(/^\s*\|[^|`]*`([a-z_]+)`/gm)].map(([, name = ""]) => name);
}

test("every reason for a core that is not whole has its row, and no other", () => {
  expect(firstCells("truncated_by").toSorted()).toEqual([...TRUNCATIONS].toSorted());
});

test("the events that explain a missing dump are such as composer.log has", () => {
  const events = firstCells("event");
  expect(events.length).toBeGreaterThan(3);
  expect(Object.keys(CRASH_EVENTS)).toEqual(expect.arrayContaining(events));
});

test("the metrics and the doctor's checks that it names are there", () => {
  const metrics = PAGE.match(/core_dump_handler_[a-z_]+/g) ?? [];
  expect(openAgentMetrics().registry.names()).toEqual(expect.arrayContaining(metrics));
  const checks = CHECKS.map(({ name }) => name);
  for (const check of ["canary", "container runtime", "store", "clock"]) {
    expect(PAGE).toContain(`\`${check}\``);
    expect(checks).toContain(check);
  }
});

test("every event of the agent that it names is explained in docs/operations.md", () => {
  const operations = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
  const events = [...PAGE.matchAll(/`([a-z]+_[a-z_]+)`/g)].map(([, name = ""]) => name);
  const known = events.filter((event) => !event.startsWith("core_dump_handler_"));
  const others = new Set<string>([...TRUNCATIONS, "truncated_by"]);
  const missing = known.filter(
    (event) => !operations.includes(`\`${event}\``) && !others.has(event),
  );
  expect(missing).toEqual([]);
});
