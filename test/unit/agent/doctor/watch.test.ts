// The doctor beside the running agent: readiness, metrics and log follow what it finds.
import { expect, test } from "bun:test";
import { openAgentMetrics } from "../../../../src/agent/metrics/agent-metrics.ts";
import { failed, ok, type Check } from "../../../../src/agent/doctor/check.ts";
import { openDoctorWatch } from "../../../../src/agent/doctor/watch.ts";
import { readAgentSettings } from "../../../../src/config/agent-settings.ts";
import { recordedLog } from "../../../support/recorded-log.ts";

function watchOf(checks: readonly Check[], environment: Record<string, string> = {}) {
  const [log, metrics, stop] = [recordedLog(), openAgentMetrics(), new AbortController()];
  const settings = readAgentSettings(environment);
  const watch = openDoctorWatch({ settings, metrics, log, signal: stop.signal, checks });
  return { log, metrics, stop, watch };
}

const WELL: Check = { name: "root", run: async () => ok("all is well") };
const ILL: Check = { name: "store", run: async () => failed("no bucket", "make one", "a 404") };

test("not ready before it has looked; ready when all is well", async () => {
  const { watch, metrics, log } = watchOf([WELL]);
  expect(watch.notReady()).toBe("the doctor is still at work");
  await watch.untilWell();
  expect(watch.notReady()).toBeUndefined();
  expect(metrics.registry.render()).toContain('core_dump_handler_doctor_check{check="root"} 1');
  expect(log.names()).toContain("doctor_done");
});

test("a failure is said with evidence and remedy, counted, and keeps the node from being ready", async () => {
  const { watch, metrics, log, stop } = watchOf([WELL, ILL]);
  const ended = watch.untilWell();
  while (!log.names().includes("doctor_done")) await Bun.sleep(5);
  expect(watch.notReady()).toBe(`the doctor's check "store" failed: see the log`);
  expect(log.events.find(({ event }) => event === "doctor_failed")?.fields).toEqual({
    check: "store",
    found: "no bucket",
    evidence: "a 404",
    remedy: "make one",
  });
  expect(metrics.registry.render()).toContain('core_dump_handler_doctor_check{check="store"} 0');
  stop.abort();
  await ended;
});

test("a check that throws, or never answers the stop, does not take the agent along", async () => {
  const broken: Check = { name: "root", run: async () => Promise.reject(new Error("surprise")) };
  const { watch, log, stop } = watchOf([broken]);
  const ended = watch.untilWell();
  while (!log.names().includes("doctor_done")) await Bun.sleep(5);
  expect(watch.notReady()).toBe(`the doctor's check "root" failed: see the log`);
  stop.abort();
  await ended;
  const hanging: Check = { name: "root", run: () => new Promise(() => {}) };
  const other = watchOf([hanging]);
  const end = other.watch.untilWell();
  other.stop.abort();
  await end;
});

test("turned off, it says nothing and keeps nobody waiting", async () => {
  const { watch, log } = watchOf([ILL], { DOCTOR: "false" });
  await watch.untilWell();
  expect(watch.notReady()).toBeUndefined();
  expect(log.events).toEqual([]);
});
