import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { installCapture } from "../../../../src/agent/capture/choice.ts";
import { cleanUp } from "../../../../src/agent/install/clean-up.ts";
import { OWNER_SEEN_MS } from "../../../../src/agent/install/host-owner.ts";
import { openKubernetesApi } from "../../../../src/agent/kubernetes/kubernetes-api.ts";
import { makeHostTree, ORIGINAL_PATTERN, type HostTree } from "../../../support/host-tree.ts";
import {
  startKubernetesServer,
  type KubernetesServer,
} from "../../../support/kubernetes-server.ts";
import { recordedLog, type RecordedLog } from "../../../support/recorded-log.ts";

const PATH = "GET /apis/apps/v1/namespaces/observe/daemonsets/cdh";
const THERE = { status: 200, body: { metadata: { uid: "u1" } } };
let host: HostTree;
let server: KubernetesServer;
let log: RecordedLog;
beforeEach(async () => {
  host = makeHostTree();
  mkdirSync(host.hostDir);
  server = startKubernetesServer();
  log = recordedLog();
  await installCapture({
    settings: settings(),
    executable: host.executable,
    obstacleOf: async () => undefined,
    log: host.log,
  });
});
afterEach(() => {
  server.stop();
  host.remove();
});

const settings = () =>
  host.settings({
    POD_NAME: "cdh-1",
    POD_NAMESPACE: "observe",
    DAEMONSET_NAME: "cdh",
    DOCTOR: "false",
  });
const run = (signal = new AbortController().signal) =>
  cleanUp({ settings: settings(), api: openKubernetesApi(server.access), log, signal, everyMs: 1 });
const isInstalled = () => existsSync(join(host.hostDir, "cdc"));

/** As an agent that ended a while ago leaves it. */
function silenceAgent(): void {
  const long = new Date(Date.now() - OWNER_SEEN_MS);
  utimesSync(join(host.hostDir, "owner.json"), long, long);
}

test("behind an uninstall the node is as it was", async () => {
  silenceAgent();
  await run();
  expect(host.sysctls().pattern).toBe(ORIGINAL_PATTERN);
  expect(isInstalled()).toBe(false);
});

test("while the DaemonSet is there nothing is touched: somebody applied the hooks with the rest", async () => {
  server.answers.set(PATH, THERE);
  silenceAgent();
  await run();
  expect(isInstalled()).toBe(true);
  expect(log.names()).toEqual(["staying_installed"]);
});

test("what is not known is asked again, and not taken for anything", async () => {
  server.answers.set(PATH, { status: 403, body: {} });
  silenceAgent();
  const done = run();
  while (server.requests.length < 3) await Bun.sleep(1);
  expect(isInstalled()).toBe(true);
  server.answers.delete(PATH);
  await done;
  expect(isInstalled()).toBe(false);
  expect(log.names().filter((name) => name === "uninstall_unknown")).toHaveLength(1);
});

test("an agent that lives is left to its end", async () => {
  const done = run();
  while (!log.names().includes("uninstalling")) await Bun.sleep(1);
  await Bun.sleep(5);
  expect(isInstalled()).toBe(true);
  silenceAgent();
  await done;
  expect(isInstalled()).toBe(false);
});

test("told to stop, it ends without having done anything", async () => {
  const stop = new AbortController();
  const done = run(stop.signal);
  while (!log.names().includes("uninstalling")) await Bun.sleep(1);
  stop.abort();
  await done;
  expect(isInstalled()).toBe(true);
});
