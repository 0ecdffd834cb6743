// The DaemonSet's pod as the chart renders it, run for real: the image of Dockerfile.gnu on containerd, with
// the volumes, variables and security context of the rendering. A crash in another pod reaches radosgw, an
// update leaves the composer, an uninstall leaves the host as it was.
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";
import { makeBucket, type Bucket } from "../../support/bucket.ts";
import { buildChartImage, imageObstacle, importImage } from "../../support/chart-image.ts";
import {
  APP_IMAGE,
  containerdObstacle,
  startContainerd,
  type Containerd,
} from "../../support/containerd.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import {
  agentContainerOf,
  envOf,
  objectOf,
  podOf,
  renderChart,
  type Manifest,
  type PodSpec,
} from "../../support/helm.ts";
import { startRenderedPod, type RenderedPod } from "../../support/kubelet.ts";
import { startKubernetesServer, type KubernetesServer } from "../../support/kubernetes-server.ts";
import { startPod } from "../../support/pods.ts";
import { freePorts, s3Obstacle } from "../../support/radosgw.ts";

const NAMESPACE = "observe";
const DAEMONSET = `GET /apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/core-dump-handler`;
const FILES = ["", "values.aws.yaml", "values.gke-cos.yaml", "values.openshift.yaml"];
const PREPARE_MS = 180_000;

const obstacles = [kernelObstacle(), containerdObstacle(), s3Obstacle(), imageObstacle()];
const runs = obstacles.every((obstacle) => obstacle === undefined);

describe("the rendered pod", () => {
  let folder: string;
  let containerd: Containerd;
  let bucket: Bucket;
  beforeAll(async () => {
    if (!runs) return;
    folder = await mkdtemp(join(tmpdir(), "core-dump-handler-chart-"));
    const { image } = agentContainerOf(await renderChart("helm4"));
    [containerd, bucket] = await Promise.all([startContainerd(folder), makeBucket()]);
    await importImage(containerd, await buildChartImage(image, folder));
  }, PREPARE_MS);
  afterAll(async () => {
    if (!runs) return;
    await containerd.stop();
    await rm(folder, { recursive: true });
  });

  for (const file of FILES)
    gatedTest(`of ${file || "the defaults"} catches, delivers and goes`, obstacles, async () => {
      const [port] = await freePorts(1);
      const values = {
        "daemonset.crioEndpoint": `unix://${containerd.socket}`,
        "daemonset.httpPort": port,
        "daemonset.s3Endpoint": bucket.server.endpoint,
        "daemonset.s3BucketName": bucket.name,
        "daemonset.s3AccessKey": bucket.server.accessKey,
        "daemonset.s3Secret": bucket.server.secret,
      };
      const files = file === "" ? [] : [file];
      const manifests = await renderChart("helm4", { files, values, namespace: NAMESPACE });
      const api = startKubernetesServer();
      const name = `victim-${FILES.indexOf(file)}`;
      try {
        await live({ containerd, manifests, api, bucket, name, port: port ?? 0 });
      } finally {
        api.stop();
      }
    });
});

interface Scene {
  containerd: Containerd;
  manifests: Manifest[];
  api: KubernetesServer;
  bucket: Bucket;
  /** Of the pod that crashes. */
  name: string;
  /** Of the probes. */
  port: number;
}

/** The pod's life: install, a crash, an update, an uninstall. */
async function live({ containerd, manifests, api, bucket, name, port }: Scene): Promise<void> {
  const folders = ["HOST_DIR", "CORE_DIR", "EVENT_DIR"].map(
    (variable) => envOf(manifests).get(variable)?.value ?? "",
  );
  const [hostDir = ""] = folders;
  const before = await pictureOf(folders);
  api.answers.set(DAEMONSET, { status: 200, body: { metadata: { uid: "1" } } });
  await withKernel({}, async () => {
    const kernel = readKernel();
    const cluster = {
      namespace: NAMESPACE,
      manifests,
      accountFolder: api.access.accountFolder,
      apiUrl: api.access.baseUrl,
    };
    const agent = await startRenderedPod(containerd, podOf(manifests), cluster);
    await until(agent, "readiness", async () => (await probe(port, "/readyz")) === 200);
    expect(await probe(port, "/healthz")).toBe(200);
    expect(readKernel().corePattern).toStartWith(`|${hostDir}/cdc `);

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
    const test = await startRenderedPod(containerd, spec, cluster);
    expect(await test.ended(), await test.log()).toBe(0);
    expect(await test.log()).toContain("crash_test_passed");

    // An update: the DaemonSet is there when the hook asks.
    const hook = ["/app/core-dump-agent", "remove", "--when-uninstalled"];
    expect(await agent.exec(hook)).toMatchObject({ exitCode: 0 });
    expect(readKernel().corePattern).toStartWith(`|${hostDir}/cdc `);

    // An uninstall: it is not.
    api.answers.delete(DAEMONSET);
    expect(await agent.exec(hook)).toMatchObject({ exitCode: 0 });
    expect(readKernel()).toEqual(kernel);
    expect(await agent.stop()).toBe(0);
    expect(readKernel()).toEqual(kernel);
    expect(await pictureOf(folders)).toEqual(before);
  });
}

/** The status of a probe; 0 where nobody answers. */
async function probe(port: number, path: string): Promise<number> {
  return fetch(`http://127.0.0.1:${port}${path}`).then(
    ({ status }) => status,
    () => 0,
  );
}

async function objectsOf(bucket: Bucket, pod: string): Promise<string[]> {
  const found: string[] = [];
  for (const key of await bucket.keys())
    if ((await bucket.metadata(key))["pod"] === pod) found.push(key);
  return found;
}

/** What lies in the folders; a folder that is not there counts as empty, as the kubelet makes it. */
async function pictureOf(folders: readonly string[]): Promise<string[]> {
  const names = folders.map(async (folder) =>
    existsSync(folder) ? (await readdir(folder)).map((name) => join(folder, name)) : [],
  );
  return (await Promise.all(names)).flat().toSorted();
}

async function until(
  agent: RenderedPod,
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  for (let tries = 0; tries < 900; tries++) {
    if (await holds()) return;
    await Bun.sleep(100);
  }
  throw new Error(`${what} did not come; the agent said:\n${await agent.log()}`);
}
