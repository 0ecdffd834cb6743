// Who gets the crashes while the listener is gone, and from when on it does not.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { openAgentMetrics } from "../../../../src/agent/metrics/agent-metrics.ts";
import { openPatternGuard } from "../../../../src/agent/capture/pattern-guard.ts";
import { openDriftWatch } from "../../../../src/agent/capture/drift.ts";
import { install } from "../../../../src/agent/install/install.ts";
import { remove } from "../../../../src/agent/install/remove.ts";
import type { CaptureMode } from "../../../../src/model/capture-mode.ts";
import { fakeListener, type FakeListener } from "../../../support/fake-listener.ts";
import { makeHostTree, ORIGINAL_PATTERN, type HostTree } from "../../../support/host-tree.ts";
import { recordedLog, type RecordedLog } from "../../../support/recorded-log.ts";

let host: HostTree;
let log: RecordedLog;
let listener: FakeListener;
beforeEach(() => {
  host = makeHostTree();
  log = recordedLog();
  listener = fakeListener();
});
afterEach(() => host.remove());

async function start({
  mode = "socket",
  silentMaxMs = 60_000,
  ...environment
}: {
  mode?: CaptureMode;
  silentMaxMs?: number;
  [variable: string]: string | number | undefined;
} = {}) {
  const settings = host.settings(environment as Record<string, string>);
  await install({ settings, executable: host.executable, mode, listener, log: host.log });
  const metrics = openAgentMetrics();
  const guard = openPatternGuard({ settings, metrics, log, listener, silentMaxMs });
  const drift = openDriftWatch({
    settings,
    metrics,
    log,
    isWithdrawn: () => guard.isLost(),
    reinstall: async () => {},
  });
  const ours = host.sysctls().pattern;
  return { settings, guard, drift, ours, metrics: () => metrics.registry.render() };
}

test("in a pod: nobody listens, and core_pattern is given back until somebody does", async () => {
  const { guard, drift, ours, metrics } = await start({ POD_NAME: "agent-x" });
  expect(ours).toBe(`@@${host.hostDir}/cdc.sock`);
  await guard.check();
  expect(log.names()).toEqual([]);
  listener.now = "absent";
  await guard.check();
  await guard.check();
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  expect(guard.isLost()).toBe(true);
  // The watch for other tools does not put it back.
  expect(await drift.check()).toBe(false);
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  listener.now = "answers";
  await guard.check();
  expect(host.sysctls().pattern).toBe(ours);
  expect(await drift.check()).toBe(true);
  expect(log.names()).toEqual(["listener_lost", "listener_back"]);
  expect(metrics()).toContain("core_dump_handler_listener_lost_total 1");
  expect(metrics()).not.toContain("sysctl_drift_total{");
});

test("outside a pod a new one is started, and the pattern comes back with it", async () => {
  const { guard, ours } = await start();
  listener.now = "absent";
  await guard.check();
  expect(host.sysctls().pattern).toBe(ours);
  expect(log.names()).toEqual(["listener_lost", "listener_back"]);
  expect(listener.calls).toEqual(["ensure", "ensure"]);
});

test("one that is silent has time to be replaced: the crashes wait for it", async () => {
  const patient = await start({ POD_NAME: "agent-x" });
  listener.now = "silent";
  await patient.guard.check();
  expect(host.sysctls().pattern).toBe(patient.ours);
  const hasty = await start({ POD_NAME: "agent-x", silentMaxMs: 0 });
  listener.now = "silent";
  await hasty.guard.check();
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  // Whoever waits in its queue would wait for ever.
  expect(listener.calls.at(-1)).toBe("kill");
});

test("what another tool has set meanwhile stays for the drift watch to judge", async () => {
  const { guard } = await start({ POD_NAME: "agent-x" });
  listener.now = "absent";
  await guard.check();
  host.setSysctl("core_pattern", "|/opt/other %p");
  listener.now = "answers";
  await guard.check();
  expect(host.sysctls().pattern).toBe("|/opt/other %p");
  expect(guard.isLost()).toBe(false);
});

test("it touches nothing in another mode, nor after remove", async () => {
  const pipe = await start({ mode: "pipe", POD_NAME: "agent-x" });
  listener.now = "absent";
  await pipe.guard.check();
  expect(host.sysctls().pattern).toBe(pipe.ours);
  await remove(pipe.settings, host.log, listener);
  const { settings, guard } = await start({ POD_NAME: "agent-x" });
  await remove(settings, host.log, listener);
  await guard.check();
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  expect(log.names()).toEqual([]);
});
