import { expect, test } from "bun:test";
import { AttemptLog } from "../../../../src/composer/attempt.ts";
import type { JsonObject } from "../../../../src/model/json.ts";
import { findPod } from "../../../../src/composer/metadata/pod-lookup.ts";
import type { PodFilter, Runtime } from "../../../../src/composer/metadata/runtime.ts";
import { Steps } from "../../../../src/composer/metadata/steps.ts";

const CONTAINER = "ab".repeat(32);
const POD_UID = "6f1c2f34-8f0e-4c55-9d3b-2f6a0d9c7b11";

const pod = (id: string, name: string, uid: string, more: JsonObject = {}): JsonObject => ({
  id,
  metadata: { name, uid, namespace: "default", attempt: 0 },
  state: "SANDBOX_READY",
  createdAt: "1000",
  ...more,
});

/** A runtime that lists these pods whatever the filter, as an old crictl may. */
function runtimeOf(pods: JsonObject[], podIds: Record<string, string> = {}) {
  const asked: PodFilter[] = [];
  const unused = () => Promise.reject(new Error("not asked for here"));
  const runtime: Runtime = {
    name: "test",
    podIdOf: (id) => Promise.resolve(podIds[id] ?? null),
    pods: (filter) => {
      asked.push(filter);
      return Promise.resolve(pods);
    },
    inspectPod: unused,
    containers: unused,
    listed: unused,
    image: unused,
    container: unused,
    logs: unused,
    close: () => undefined,
  };
  return { runtime, asked };
}

async function find(runtime: Runtime, crashed: Parameters<typeof findPod>[1], hostname = "web-0") {
  const attempts = new AttemptLog();
  const steps = Steps.start(attempts, 60_000, new AbortController().signal);
  try {
    const { found, guessed } = await findPod(runtime, crashed, hostname, steps);
    const { missing } = attempts;
    return { id: found?.pod["id"], identity: found?.identity, guessed: guessed?.["id"], missing };
  } finally {
    steps.dispose();
  }
}

const inPod = { kind: "container", containerId: CONTAINER, podUid: POD_UID, path: "/p" } as const;
const alone = { ...inPod, podUid: null };
const unreadable = { kind: "unreadable" } as const;

test("the container's own pod is taken, whatever the host name says", async () => {
  const { runtime, asked } = runtimeOf(
    [pod("p1", "web-0", "u1"), pod("p2", "web-0", POD_UID), pod("p3", "web-0", "u3")],
    { [CONTAINER]: "p2" },
  );
  expect(await find(runtime, inPod)).toMatchObject({ id: "p2", identity: "cgroup", missing: [] });
  expect(asked).toEqual([{ id: "p2" }]);
});

test("where the path's pod uid and its container are not of one pod, the uid counts", async () => {
  const pods = [pod("theirs", "web-0", "u2"), pod("ours", "web-0", POD_UID)];
  const { id, missing } = await find(runtimeOf(pods, { [CONTAINER]: "theirs" }).runtime, inPod);
  expect(id).toBe("ours");
  expect(missing[0]?.why).toContain(`is not of pod ${POD_UID}`);
});

test("a path that names the pod alone is enough, and the runtime is asked for no container", async () => {
  const pods = [pod("p1", "web-0", "u1"), pod("p2", "web-1", POD_UID)];
  const { runtime, asked } = runtimeOf(pods);
  runtime.podIdOf = () => Promise.reject(new Error("asked for a container"));
  const crashed = { ...inPod, containerId: null };
  expect(await find(runtime, crashed)).toMatchObject({ id: "p2", identity: "cgroup", missing: [] });
  expect(asked).toEqual([{ uid: POD_UID }]);
});

test("a crash of the pod's own first process is told by the sandbox's id", async () => {
  const { runtime } = runtimeOf([pod(CONTAINER, "web-0", POD_UID)]);
  expect(await find(runtime, inPod)).toMatchObject({ id: CONTAINER, identity: "cgroup" });
});

test("of a container that is gone the pod is found by its uid: the ready one, else the newest", async () => {
  const old = pod("old", "web-0", POD_UID, { state: "SANDBOX_NOTREADY", createdAt: "9000" });
  const ready = pod("ready", "web-0", POD_UID);
  expect(await find(runtimeOf([old, ready]).runtime, inPod)).toMatchObject({ id: "ready" });
  const older = pod("older", "web-0", POD_UID, { state: "SANDBOX_NOTREADY", createdAt: "800" });
  expect(await find(runtimeOf([older, old]).runtime, inPod)).toMatchObject({ id: "old" });
});

test("a replacement of the same name is not mistaken for the pod that crashed", async () => {
  const { runtime } = runtimeOf([pod("new", "web-0", "u-new")]);
  const { id, guessed, missing } = await find(runtime, inPod);
  expect([id, guessed]).toEqual([undefined, undefined]);
  expect(missing[0]?.why).toContain(`does not know container ${CONTAINER}`);
});

test("without any identity the one pod of exactly the host's name is guessed, and found by nobody", async () => {
  const { runtime } = runtimeOf([pod("p1", "web-0", "u1"), pod("p2", "web-01", "u2")]);
  for (const crashed of [unreadable, alone]) {
    const { id, guessed } = await find(runtime, crashed);
    expect([id, guessed]).toEqual([undefined, "p1"]);
  }
  expect((await find(runtime, unreadable, "web-.*")).guessed).toBeUndefined();
  expect((await find(runtime, unreadable, "")).guessed).toBeUndefined();
});

test("of two pods with the host's name none is guessed", async () => {
  const { runtime } = runtimeOf([pod("p1", "web-0", "u1"), pod("p2", "web-0", "u2")]);
  const { id, guessed, missing } = await find(runtime, unreadable);
  expect([id, guessed]).toEqual([undefined, undefined]);
  expect(missing).toEqual([{ what: "pod by host name", why: "2 pods are called web-0" }]);
});
