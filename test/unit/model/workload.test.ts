import { expect, test } from "bun:test";
import { ownerOf, workloadKey, type CrashIdentity } from "../../../src/model/workload.ts";

test.each([
  ["a Deployment's pod", "web-7d9c6b5f4-x2x4z", { "pod-template-hash": "7d9c6b5f4" }, "web"],
  [
    "a Deployment's pod whose name was cut",
    "web-7d9c6",
    { "pod-template-hash": "7d9c6b5f4" },
    "web-7d9c6",
  ],
  ["a StatefulSet's pod", "db-12", { "statefulset.kubernetes.io/pod-name": "db-12" }, "db"],
  ["a DaemonSet's pod", "agent-x2x4z", { "controller-revision-hash": "6d8f" }, "agent"],
  ["a Job's pod", "import-x2x4z", { "batch.kubernetes.io/job-name": "import" }, "import"],
  ["an old Job's pod", "import-x2x4z", { "job-name": "import" }, "import"],
  ["a pod of its own", "debug-1", {}, "debug-1"],
])("%s belongs to its owner", (_name, podname, labels, owner) => {
  expect(ownerOf(podname, labels)).toBe(owner);
});

test("outside Kubernetes there is no owner", () => {
  expect(ownerOf(null, {})).toBeNull();
});

const CRASH: CrashIdentity = {
  namespace: "shop",
  podname: "web-7d9c6b5f4-x2x4z",
  labels: { "pod-template-hash": "7d9c6b5f4" },
  container: "server",
  executable: "/usr/bin/server",
  signal: "11",
};

test("replicas and restarts are one workload", () => {
  expect(workloadKey({ ...CRASH, podname: "web-7d9c6b5f4-aaaaa" })).toBe(workloadKey(CRASH));
});

test.each([
  ["namespace", { namespace: "bank" }],
  ["container", { container: "sidecar" }],
  ["executable", { executable: "/usr/bin/other" }],
  ["signal", { signal: "6" }],
])("another %s is another workload", (_name, change) => {
  expect(workloadKey({ ...CRASH, ...change })).not.toBe(workloadKey(CRASH));
});

test("a slash in a field cannot make one workload look like another", () => {
  const one = workloadKey({ ...CRASH, namespace: "a/b", podname: "c", labels: {} });
  const other = workloadKey({ ...CRASH, namespace: "a", podname: "b/c", labels: {} });
  expect(one).not.toBe(other);
});
