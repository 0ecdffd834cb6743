import { afterEach, beforeEach, expect, test } from "bun:test";
import { readPodPolicy } from "../../../../src/config/pod-policy.ts";
import { openKubernetesApi } from "../../../../src/agent/kubernetes/kubernetes-api.ts";
import {
  planKubernetesEvent,
  postEvent,
} from "../../../../src/agent/kubernetes/kubernetes-event.ts";
import {
  startKubernetesServer,
  type KubernetesServer,
} from "../../../support/kubernetes-server.ts";
import { recordedLog } from "../../../support/recorded-log.ts";

const FACTS = {
  namespace: "shop",
  podname: "web-7d9c6b5f4-x2x4z",
  pod_uid: "0f8fad5b-d9cb-469f-a165-70867728950e",
  container_name: "server",
  exe: "server",
  signal: "11",
  signal_name: "SIGSEGV",
  node_hostname: "node-1",
  core_complete: true,
};
const POST = "POST /api/v1/namespaces/shop/events";

let server: KubernetesServer;
beforeEach(() => {
  server = startKubernetesServer();
});
afterEach(() => server.stop());

test("the pod's event names the crash and the object", async () => {
  server.answers.set(POST, { status: 201, body: {} });
  const log = recordedLog();
  await postEvent(openKubernetesApi(server.access), FACTS, "cores/a.zip", log);
  expect(server.requests).toHaveLength(1);
  expect(server.requests[0]).toMatchObject({
    line: POST,
    body: {
      kind: "Event",
      metadata: { namespace: "shop", generateName: "web-7d9c6b5f4-x2x4z." },
      involvedObject: {
        kind: "Pod",
        namespace: "shop",
        name: "web-7d9c6b5f4-x2x4z",
        uid: "0f8fad5b-d9cb-469f-a165-70867728950e",
        fieldPath: "spec.containers{server}",
      },
      type: "Warning",
      reason: "CoreDumpDelivered",
      message: "server crashed with SIGSEGV; core dump delivered as cores/a.zip",
      source: { component: "core-dump-handler", host: "node-1" },
    },
  });
  expect(log.names()).toEqual([]);
});

test("without the right to create events the log says so, and nothing fails", async () => {
  server.answers.set(POST, { status: 403, body: {} });
  const log = recordedLog();
  const api = openKubernetesApi(server.access);
  await postEvent(api, FACTS, "a.zip", log);
  server.stop();
  await postEvent(api, FACTS, "a.zip", log);
  expect(log.names()).toEqual(["kubernetes_event_refused", "kubernetes_event_refused"]);
  server = startKubernetesServer();
});

test.each([
  ["a host process", { namespace: null, podname: null }],
  ["no namespace", { namespace: "" }],
  ["a path in the namespace", { namespace: "../../secrets" }],
  ["a name that is no pod's", { podname: "x/../../y" }],
  ["nonsense", { namespace: { a: 1 }, podname: 7 }],
])("%s gets no event", (_name, change) => {
  expect(planKubernetesEvent({ ...FACTS, ...change }, "a.zip", new Date())).toBeUndefined();
});

test("a process cannot forge a line or a book in the message", () => {
  const event = planKubernetesEvent(
    { ...FACTS, exe: `x\n${"y".repeat(5000)}` },
    "a.zip",
    new Date(),
  );
  const message = String(event?.body["message"]);
  expect(message).not.toContain("\n");
  expect(message.length).toBeLessThanOrEqual(1000);
});

test("a core that was cut short is called so", () => {
  const event = planKubernetesEvent({ ...FACTS, core_complete: false }, "a.zip", new Date());
  expect(event?.body["message"]).toContain("core dump (cut short) delivered");
});

test("a core of the stacks is called so", () => {
  const event = planKubernetesEvent({ ...FACTS, core_content: "stacks" }, "a.zip", new Date());
  expect(event?.body["message"]).toContain("core dump of the stacks delivered");
});

test("an annotation that was not followed stands in the event, whatever it holds", () => {
  const complaints = readPodPolicy(
    { "core-dump-handler/priority": "urgent\n\u202e" },
    { CORE_CONTENT: "full", MAX_CORE_SIZE: 0 },
  ).complaints;
  const facts = { ...FACTS, settings_ignored: ["LOG_LEVEL is wrong", ...complaints, 7] };
  const message = planKubernetesEvent(facts, "a.zip", new Date())?.body["message"];
  expect(String(message)).toContain(
    'delivered as a.zip; ignored: annotation core-dump-handler/priority is "urgent',
  );
  expect(String(message)).not.toMatch(/[\n\u202e]|LOG_LEVEL/);
});
