import { afterEach, beforeEach, expect, test } from "bun:test";
import { openAgentMetrics } from "../../../src/agent/agent-metrics.ts";
import { openDriftWatch } from "../../../src/agent/drift.ts";
import { install } from "../../../src/agent/install.ts";
import { remove } from "../../../src/agent/remove.ts";
import { makeHostTree, ORIGINAL_PATTERN, type HostTree } from "../../support/host-tree.ts";
import { recordedLog, type RecordedLog } from "../../support/recorded-log.ts";

let host: HostTree;
let log: RecordedLog;
beforeEach(() => {
  host = makeHostTree();
  log = recordedLog();
});
afterEach(() => host.remove());

async function start(environment: Record<string, string> = {}) {
  const settings = host.settings(environment);
  await install({ settings, executable: host.executable, log: host.log });
  const metrics = openAgentMetrics();
  const watch = openDriftWatch(settings, metrics, log);
  return { settings, watch, metrics: () => metrics.registry.render() };
}

test("a core_pattern that another tool took is taken back, said and counted", async () => {
  const { watch, metrics } = await start();
  const ours = host.sysctls();
  expect(await watch.check()).toBe(true);
  expect(log.names()).toEqual([]);
  host.setSysctl("core_pattern", "core");
  host.setSysctl("core_pipe_limit", "0");
  expect(await watch.check()).toBe(true);
  expect(host.sysctls()).toEqual(ours);
  expect(log.names()).toEqual(["sysctl_reapplied", "sysctl_reapplied"]);
  expect(metrics()).toContain('sysctl_drift_total{sysctl="kernel.core_pattern"} 1');
  expect(metrics()).toContain("core_dump_handler_installed 1");
});

test("with CORE_PATTERN_DRIFT=report it stays, and is said once", async () => {
  const { watch, metrics } = await start({ CORE_PATTERN_DRIFT: "report" });
  host.setSysctl("core_pattern", "|/opt/other %p");
  expect(await watch.check()).toBe(false);
  expect(await watch.check()).toBe(false);
  expect(host.sysctls().pattern).toBe("|/opt/other %p");
  expect(log.names()).toEqual(["sysctl_drifted"]);
  expect(metrics()).toContain("core_dump_handler_installed 0");
});

test("what remove restored beside a running agent stays restored", async () => {
  const { settings, watch } = await start();
  await remove(settings, host.log);
  expect(await watch.check()).toBe(false);
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
});
