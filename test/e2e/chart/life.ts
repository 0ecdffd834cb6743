// One pod's life on a node, from its install to the host as it was. For daemonset.test.ts.
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "bun:test";
import { OWNER_SEEN_MS } from "../../../src/agent/install/host-owner.ts";
import type { CaptureMode } from "../../../src/model/capture-mode.ts";
import { captureModeOf } from "../../../src/model/core-pattern.ts";
import { OWNER_RECORD } from "../../../src/model/host-file.ts";
import { readKernel, withKernel, type KernelSettings } from "../../support/borrowed-kernel.ts";
import type { Bucket } from "../../support/bucket.ts";
import { APP_IMAGE, type Containerd } from "../../support/containerd.ts";
import {
  cleanUpPodOf,
  envOf,
  objectOf,
  podOf,
  type Manifest,
  type PodSpec,
} from "../../support/helm.ts";
import { startRenderedPod, type RenderedPod } from "../../support/kubelet.ts";
import type { KubernetesServer } from "../../support/kubernetes-server.ts";
import { startPod } from "../../support/pods.ts";

export const NAMESPACE = "observe";
const DAEMONSET = `GET /apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/core-dump-handler`;
/** Longer than the agent's rescan, which finds what a watch missed. */
const TRIES = 900;
const PAUSE_MS = 100;

/** The agents of the test that runs. */
const running: RenderedPod[] = [];

export interface Scene {
  containerd: Containerd;
  manifests: Manifest[];
  api: KubernetesServer;
  bucket: Pick<Bucket, "keys" | "metadata">;
  /** Of the probes. */
  port: number;
  /** What an admission webhook of the cluster makes of the DaemonSet's pod. */
  admit?: (pod: PodSpec) => PodSpec;
}

/** The pod's life: install, a crash of the pod `name`, an update, an uninstall. */
export async function live(
  scene: Scene,
  name: string,
  mode: CaptureMode = "pipe",
  /** What the kernel's settings are meanwhile, beside the pattern. */
  meanwhile: Partial<KernelSettings> = {},
): Promise<void> {
  const { containerd, manifests, api, bucket, port } = scene;
  await onNode(scene, async (hostDir) => {
    const before = readKernel();
    const modeNow = () => captureModeOf(readKernel().corePattern, hostDir);
    const agent = await startAgent(scene);
    await until(agent, "readiness", async () => (await probe(port, "/readyz")) === 200);
    expect(await probe(port, "/healthz")).toBe(200);
    expect(await probe(port, "/startz")).toBe(200);
    expect(modeNow()).toBe(mode);
    expect(readKernel()).toMatchObject(meanwhile);

    const { containers } = await startPod(containerd, {
      name,
      namespace: "shop",
      containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "3"] }],
    });
    process.kill(containers[0]?.pid ?? 0, "SIGUSR1");
    await until(agent, "the object", async () => (await objectsOf(bucket, name)).length > 0);
    const [key = ""] = await objectsOf(bucket, name);
    expect(await bucket.metadata(key)).toMatchObject({ namespace: "shop", pod: name });

    // helm test: a pod of the same image crashes a child of its own and follows its dump.
    const { spec } = objectOf(manifests, "Pod") as Manifest & { spec: PodSpec };
    const test = await startRenderedPod(containerd, spec, clusterOf(scene));
    expect(await test.ended(), await test.log()).toBe(0);
    expect(await test.log()).toContain("crash_test_passed");

    // An update: the DaemonSet is there when the hook asks.
    const hook = ["/app/core-dump-agent", "remove", "--when-uninstalled"];
    expect(await agent.exec(hook)).toMatchObject({ exitCode: 0 });
    expect(modeNow()).toBe(mode);

    // An uninstall: it is not.
    api.answers.delete(DAEMONSET);
    expect(await agent.exec(hook)).toMatchObject({ exitCode: 0 });
    expect(readKernel()).toEqual(before);
    expect(await agent.stop()).toBe(0);
    expect(readKernel()).toEqual(before);
  });
}

/**
 * `helm uninstall` of a release whose agent's container does not run: no preStop hook, and the clean-up comes. The one
 * of a second release, which never got the folders, changes nothing.
 */
export async function uninstallDead(scene: Scene, second: Scene): Promise<void> {
  await onNode(scene, async (hostDir) => {
    const before = readKernel();
    const agent = await startAgent(scene);
    await until(agent, "readiness", async () => (await probe(scene.port, "/readyz")) === 200);
    await agent.kill("coredump-container");
    const installed = readKernel();
    expect(captureModeOf(installed.corePattern, hostDir)).toBe("pipe");

    const refused = await startAgent(second);
    expect(await refused.ended()).toBe(1);
    expect(await refused.log()).toContain(`belongs to the DaemonSet ${NAMESPACE}/`);
    await cleanUp(second, "not_ours_to_remove");
    // Of somebody who applies the whole rendering, hooks and all.
    await cleanUp(scene, "staying_installed");
    expect(readKernel()).toEqual(installed);
    expect(existsSync(join(hostDir, "cdc"))).toBe(true);

    scene.api.answers.delete(DAEMONSET);
    // The agent was killed a moment ago, and might live.
    const long = new Date(Date.now() - OWNER_SEEN_MS);
    await utimes(join(hostDir, OWNER_RECORD), long, long);
    await cleanUp(scene, "removed");
    expect(readKernel()).toEqual(before);
    // Whatever crashed on this machine meanwhile was not delivered, and so stays.
    await rm(join(hostDir, "cores"), { recursive: true, force: true });
    await awaitCleanUp(scene);
  });
}

/** The Job's pod: neither root nor able to write anything, and it sees the clean-up's DaemonSet. */
async function awaitCleanUp(scene: Scene): Promise<void> {
  const status = { observedGeneration: 1, desiredNumberScheduled: 1, numberReady: 1 };
  const body = { metadata: { generation: 1 }, status };
  scene.api.answers.set(`${DAEMONSET}-cleanup`, { status: 200, body });
  const job = await startAgent(scene, cleanUpPodOf(scene.manifests, "Job"));
  expect(await job.ended(), await job.log()).toBe(0);
  expect(await job.log()).toContain("nodes_cleaned nodes=1");
}

/** Until both of its containers have said this: the first one ended well, the second one stays. */
async function cleanUp(scene: Scene, end: string): Promise<void> {
  const pod = await startAgent(scene, cleanUpPodOf(scene.manifests));
  await until(pod, end, async () => (await pod.log()).split(` ${end} `).length === 3);
  expect(await pod.stop()).toBe(0);
}

/**
 * Runs with the kernel borrowed and the rendering's folders empty on this machine; afterwards they must be
 * empty again, and go. A folder that somebody uses already is an error: it might be a real install.
 */
export async function onNode(
  { manifests, api }: Scene,
  run: (hostDir: string) => Promise<void>,
): Promise<void> {
  const folders = ["HOST_DIR", "CORE_DIR", "EVENT_DIR"].map(
    (variable) => envOf(manifests).get(variable)?.value ?? "",
  );
  const [hostDir = ""] = folders;
  await withKernel({}, async () => {
    for (const folder of folders)
      if (existsSync(folder)) throw new Error(`${folder} is in use on this machine`);
    const made: string[] = [];
    for (const folder of folders.filter((each) => each === hostDir || !isBelow(each, hostDir)))
      made.push((await mkdir(dirname(folder), { recursive: true })) ?? folder, folder);
    try {
      api.answers.set(DAEMONSET, { status: 200, body: { metadata: { uid: "1" } } });
      await run(hostDir);
      expect(await filesIn(folders)).toEqual([]);
    } finally {
      // An agent that lives on would take core_pattern back from whoever borrows the kernel next.
      for (const pod of running.splice(0)) await pod.end();
      for (const folder of made) await rm(folder, { recursive: true, force: true });
    }
  });
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

async function filesIn(folders: readonly string[]): Promise<string[]> {
  const names = folders.map(async (folder) =>
    existsSync(folder) ? (await readdir(folder)).map((name) => join(folder, name)) : [],
  );
  return (await Promise.all(names)).flat();
}

export async function startAgent(scene: Scene, pod = admitted(scene)): Promise<RenderedPod> {
  const placed = withLogsOf(scene.containerd, pod);
  const started = await startRenderedPod(scene.containerd, placed, clusterOf(scene));
  running.push(started);
  return started;
}

function admitted({ manifests, admit }: Scene): PodSpec {
  const pod = podOf(manifests);
  return admit === undefined ? pod : admit(pod);
}

/** The pod with the logs of this node's pods where the chart has /var/log/pods. */
function withLogsOf({ podLogs }: Containerd, pod: PodSpec): PodSpec {
  const ours = structuredClone(pod);
  for (const volume of ours.volumes)
    if (volume.name === "pod-logs") volume["hostPath"] = { path: podLogs, type: "Directory" };
  for (const mount of ours.containers.flatMap(({ volumeMounts = [] }) => volumeMounts))
    if (mount.name === "pod-logs") mount.mountPath = podLogs;
  return ours;
}

/** What the pods of a scene see of their cluster. */
export function clusterOf({ manifests, api }: Scene) {
  const { accountFolder, baseUrl } = api.access;
  return { namespace: NAMESPACE, manifests, accountFolder, apiUrl: baseUrl };
}

/** The status of a probe; 0 where nobody answers. */
export async function probe(port: number, path: string): Promise<number> {
  return fetch(`http://127.0.0.1:${port}${path}`).then(
    ({ status }) => status,
    () => 0,
  );
}

async function objectsOf(bucket: Scene["bucket"], pod: string): Promise<string[]> {
  const found: string[] = [];
  for (const key of await bucket.keys())
    if ((await bucket.metadata(key))["pod"] === pod) found.push(key);
  return found;
}

export async function until(
  agent: RenderedPod,
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    if (await holds()) return;
    await Bun.sleep(PAUSE_MS);
  }
  throw new Error(`${what} did not come; the agent said:\n${await agent.log()}`);
}
