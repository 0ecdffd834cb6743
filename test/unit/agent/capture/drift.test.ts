import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openAgentMetrics } from "../../../../src/agent/metrics/agent-metrics.ts";
import { openDriftWatch } from "../../../../src/agent/capture/drift.ts";
import { install } from "../../../../src/agent/install/install.ts";
import { remove } from "../../../../src/agent/install/remove.ts";
import { makeHostTree, ORIGINAL_PATTERN, type HostTree } from "../../../support/host-tree.ts";
import { recordedLog, type RecordedLog } from "../../../support/recorded-log.ts";

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
  const reinstall = () => install({ settings, executable: host.executable, log: host.log });
  const watch = openDriftWatch({ settings, metrics, log, reinstall });
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

const POD = { POD_NAME: "p", POD_NAMESPACE: "observe", DAEMONSET_NAME: "cdh" };

test("outside a pod, what remove restored beside a running agent stays restored, and that is said once", async () => {
  const { settings, watch, metrics } = await start();
  await remove(settings, host.log);
  for (let look = 0; look < 3; look++) expect(await watch.check()).toBe(false);
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  expect(log.names()).toEqual(["install_missing"]);
  expect(metrics()).toContain("core_dump_handler_installed 0");
});

test("in a pod an install that another release took away is put back, at the second look", async () => {
  const { settings, watch, metrics } = await start(POD);
  const ours = host.sysctls();
  // An uninstall of a release that knows no owners.
  await remove({ ...settings, POD_NAMESPACE: "", DAEMONSET_NAME: "" }, host.log);
  expect(await watch.check()).toBe(false);
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  expect(await watch.check()).toBe(true);
  expect(host.sysctls()).toEqual(ours);
  expect(existsSync(join(host.hostDir, "cdc"))).toBe(true);
  expect(await watch.check()).toBe(true);
  expect(log.names()).toEqual(["install_missing", "reinstalled"]);
  expect(metrics()).toContain("core_dump_handler_installed 1");
});

test.each(["cdc", ".env"])("so is a single %s, whose loss no sysctl shows", async (name) => {
  const { watch } = await start(POD);
  rmSync(join(host.hostDir, name));
  expect(await watch.check()).toBe(false);
  expect(await watch.check()).toBe(true);
  expect(existsSync(join(host.hostDir, name))).toBe(true);
});

test("with CORE_PATTERN_DRIFT=report it is said and left", async () => {
  const { settings, watch } = await start({ ...POD, CORE_PATTERN_DRIFT: "report" });
  await remove(settings, host.log);
  for (let look = 0; look < 3; look++) expect(await watch.check()).toBe(false);
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  expect(log.names()).toEqual(["install_missing"]);
});

test("a HOST_DIR that another DaemonSet has taken meanwhile is left to it, and that is said once", async () => {
  const { watch, metrics } = await start(POD);
  const owner = { namespace: "other", daemonset: "cdh" };
  writeFileSync(join(host.hostDir, "owner.json"), JSON.stringify(owner));
  host.setSysctl("core_pattern", "|/theirs %p");
  for (let look = 0; look < 2; look++) expect(await watch.check()).toBe(false);
  expect(host.sysctls().pattern).toBe("|/theirs %p");
  expect(log.events).toMatchObject([{ event: "host_dir_taken", fields: { owner: "other/cdh" } }]);
  expect(metrics()).toContain("core_dump_handler_installed 0");
});
