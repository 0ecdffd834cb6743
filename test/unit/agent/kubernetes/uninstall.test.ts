import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  findKubernetes,
  openKubernetesApi,
} from "../../../../src/agent/kubernetes/kubernetes-api.ts";
import {
  findUninstall,
  judgeAnswer,
  noteDaemonSet,
} from "../../../../src/agent/kubernetes/uninstall.ts";
import { openLog } from "../../../../src/host/log.ts";
import {
  startKubernetesServer,
  type KubernetesServer,
} from "../../../support/kubernetes-server.ts";

const PATH = "GET /apis/apps/v1/namespaces/observe/daemonsets/cdh";
const daemonSet = (uid: string, deletionTimestamp?: string) => ({
  status: 200,
  body: { metadata: { uid, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) } },
});

test.each([
  ["is there", daemonSet("u1"), "u1", "there"],
  ["is there, and we never could ask before", daemonSet("u1"), undefined, "there"],
  ["is being deleted", daemonSet("u1", "2026-01-01T00:00:00Z"), "u1", true],
  ["is gone", { status: 404, body: {} }, undefined, true],
  ["was replaced by another of its name", daemonSet("u2"), "u1", false],
  ["may no longer be seen", { status: 403, body: {} }, "u1", false],
  [
    "is asked for with a dead token (kubectl delete pod --force)",
    { status: 401, body: {} },
    "u1",
    false,
  ],
  ["never could be seen", { status: 403, body: {} }, undefined, false],
  ["is unknown to a sick API server", { status: 500, body: {} }, "u1", false],
  ["is described in a way we do not know", { status: 200, body: [] }, "u1", false],
])("a DaemonSet that %s", (_name, answer, uid, expected) => {
  const verdict = judgeAnswer(answer, uid);
  const found: string | boolean = verdict === "there" ? verdict : verdict.uninstalled;
  expect(found).toBe(expected);
});

let hostDir: string;
let server: KubernetesServer;
const settings = () => ({ HOST_DIR: hostDir, POD_NAMESPACE: "observe", DAEMONSET_NAME: "cdh" });
const quiet = openLog({ level: "Error", format: "text", write: () => {} });

beforeEach(() => {
  hostDir = mkdtempSync(join(tmpdir(), "uninstall-"));
  server = startKubernetesServer();
});
afterEach(() => {
  server.stop();
  rmSync(hostDir, { recursive: true, force: true });
});

test("from an agent's start to an uninstall, asked over TLS with the account's token", async () => {
  const api = openKubernetesApi(server.access);
  server.answers.set(PATH, daemonSet("u1"));
  await noteDaemonSet(settings(), api, quiet);
  expect(readFileSync(join(hostDir, "daemonset.uid"), "utf8")).toBe("u1");
  expect(await findUninstall(settings(), api)).toMatchObject({ uninstalled: false });
  server.answers.delete(PATH);
  expect(await findUninstall(settings(), api)).toMatchObject({ uninstalled: true });
});

test("a pod that was deleted by force keeps what is installed: its token is dead, the DaemonSet is not", async () => {
  const api = openKubernetesApi(server.access);
  server.answers.set(PATH, daemonSet("u1"));
  await noteDaemonSet(settings(), api, quiet);
  writeFileSync(join(server.access.accountFolder, "token"), "a-token-of-a-deleted-pod");
  expect(await findUninstall(settings(), api)).toEqual({
    uninstalled: false,
    because: "the API server answered 401, which proves nothing",
  });
});

const NAMESPACE = "GET /api/v1/namespaces/observe";
const GOING = { metadata: { uid: "n1", deletionTimestamp: "2026-01-01T00:00:00Z" } };

test.each([
  [
    "is being deleted, and with it a DaemonSet that knows nothing of it yet",
    { status: 200, body: GOING },
    true,
  ],
  ["stays", { status: 200, body: { metadata: { uid: "n1" } } }, false],
  ["may not be seen", { status: 403, body: { kind: "Status" } }, false],
])("a namespace that %s", async (_name, answer, uninstalled) => {
  const api = openKubernetesApi(server.access);
  server.answers.set(PATH, daemonSet("u1"));
  server.answers.set(NAMESPACE, answer);
  await noteDaemonSet(settings(), api, quiet);
  expect(await findUninstall(settings(), api)).toMatchObject({ uninstalled });
});

const withHook = (...command: string[]) => {
  const container = { lifecycle: { preStop: { exec: { command } } } };
  const answer = daemonSet("u1");
  const spec = { template: { spec: { containers: [container] } } };
  return { ...answer, body: { ...answer.body, spec } };
};

test.each([
  ["is updated", withHook("/app/core-dump-agent", "remove", "--when-uninstalled"), false],
  ["was rolled back to IBM's chart", withHook("/app/core-dump-agent", "remove"), true],
])("a DaemonSet that %s", async (_name, answer, uninstalled) => {
  const api = openKubernetesApi(server.access);
  server.answers.set(PATH, answer);
  server.answers.set(NAMESPACE, { status: 200, body: { metadata: { uid: "n1" } } });
  await noteDaemonSet(settings(), api, quiet);
  expect(await findUninstall(settings(), api)).toMatchObject({ uninstalled });
});

const REVIEWS = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
test.each([
  ["the Role went with the release", { status: 201, body: { status: { allowed: false } } }, true],
  ["the right is back", { status: 201, body: { status: { allowed: true } } }, false],
  ["the API server knows no rules yet", { status: 403, body: {} }, false],
])("refused after it could ask: %s", async (_name, answer, uninstalled) => {
  const api = openKubernetesApi(server.access);
  server.answers.set(PATH, daemonSet("u1"));
  await noteDaemonSet(settings(), api, quiet);
  server.answers.set(PATH, { status: 403, body: {} });
  server.answers.set(REVIEWS, answer);
  expect(await findUninstall(settings(), api, 1)).toMatchObject({ uninstalled });
});

test("an agent that may not ask forgets what it knew", async () => {
  const api = openKubernetesApi(server.access);
  writeFileSync(join(hostDir, "daemonset.uid"), "u0");
  server.answers.set(PATH, { status: 403, body: {} });
  await noteDaemonSet(settings(), api, quiet);
  expect(existsSync(join(hostDir, "daemonset.uid"))).toBe(false);
});

test("an API server that cannot be reached, or another's, is no uninstall", async () => {
  const { access } = server;
  const stranger = startKubernetesServer();
  try {
    const distrusted = openKubernetesApi({
      ...access,
      accountFolder: stranger.access.accountFolder,
    });
    expect(await findUninstall(settings(), distrusted)).toMatchObject({ uninstalled: false });
    expect(server.requests).toEqual([]);
  } finally {
    stranger.stop();
  }
  server.stop();
  expect(await findUninstall(settings(), openKubernetesApi(access))).toMatchObject({
    uninstalled: false,
  });
  server = startKubernetesServer();
});

test("outside Kubernetes there is nobody to ask", async () => {
  expect(findKubernetes({})).toBeUndefined();
  expect(await findUninstall(settings(), undefined)).toMatchObject({ uninstalled: false });
  expect(
    findKubernetes({ KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" }),
  ).toMatchObject({ baseUrl: "https://[fd00::1]:6443" });
});
