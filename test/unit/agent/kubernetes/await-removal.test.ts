import { afterEach, beforeEach, expect, test } from "bun:test";
import { awaitRemoval } from "../../../../src/agent/kubernetes/await-removal.ts";
import { openKubernetesApi } from "../../../../src/agent/kubernetes/kubernetes-api.ts";
import { failureOf } from "../../../support/failure.ts";
import {
  startKubernetesServer,
  type KubernetesServer,
} from "../../../support/kubernetes-server.ts";
import { recordedLog, type RecordedLog } from "../../../support/recorded-log.ts";

const PATH = "GET /apis/apps/v1/namespaces/observe/daemonsets/cdh-cleanup";
let server: KubernetesServer;
let log: RecordedLog;
beforeEach(() => {
  server = startKubernetesServer();
  log = recordedLog();
});
afterEach(() => server.stop());

const answer = (status: object) =>
  server.answers.set(PATH, { status: 200, body: { metadata: { generation: 1 }, status } });
const wait = (withinMs: number) =>
  awaitRemoval({
    namespace: "observe",
    daemonSet: "cdh-cleanup",
    withinMs,
    api: openKubernetesApi(server.access),
    log,
    everyMs: 1,
  });
const asked = async (times: number) => {
  while (server.requests.length < times) await Bun.sleep(1);
};

test("it waits through a right that is not there yet, unchosen nodes and the first of two pods", async () => {
  server.answers.set(PATH, { status: 403, body: {} });
  let isDone = false;
  const waiting = wait(60_000).then(() => (isDone = true));
  await asked(2);
  answer({});
  await asked(4);
  answer({ observedGeneration: 1, desiredNumberScheduled: 2, numberReady: 1 });
  await asked(6);
  expect(isDone).toBe(false);
  answer({ observedGeneration: 1, desiredNumberScheduled: 2, numberReady: 2 });
  await waiting;
  expect(log.events).toMatchObject([{ event: "nodes_cleaned", fields: { nodes: 2 } }]);
});

test("a release that has no node is done at once", async () => {
  answer({ observedGeneration: 1 });
  await wait(60_000);
});

test("a node that stays behind is a failure that counts and tells what to do", async () => {
  answer({ observedGeneration: 1, desiredNumberScheduled: 3, numberReady: 2 });
  expect(await failureOf(wait(20))).toContain("2 of 3 nodes are cleaned (docs/operations.md");
});
