// The DaemonSet's pod as the chart renders it, run for real: the image of Dockerfile.gnu on containerd, with
// the volumes, variables and security context of the rendering. A crash in another pod reaches radosgw, an
// update leaves the composer, an uninstall leaves the host as it was; and each privilege is tried without.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "bun:test";
import { makeBucket, type Bucket } from "../../support/bucket.ts";
import { buildChartImage, imageObstacle, importImage } from "../../support/chart-image.ts";
import { containerdObstacle, startContainerd, type Containerd } from "../../support/containerd.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { agentContainerOf, renderChart } from "../../support/helm.ts";
import { startKubernetesServer } from "../../support/kubernetes-server.ts";
import { freePorts, s3Obstacle } from "../../support/radosgw.ts";
import { NAMESPACE, live, type Scene } from "./life.ts";
import { TRIALS, tryPrivileges } from "./privileges.ts";

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

  /** The chart with these values on this machine: its runtime, its store, and a free port for the probes. */
  async function withScene(
    files: readonly string[],
    changes: object,
    run: (scene: Scene) => Promise<void>,
  ): Promise<void> {
    const [port = 0] = await freePorts(1);
    const values = {
      "daemonset.crioEndpoint": `unix://${containerd.socket}`,
      "daemonset.httpPort": port,
      // Should this run be killed, its agent must not fight the next borrower of the kernel.
      "daemonset.corePatternDrift": "report",
      "daemonset.s3Endpoint": bucket.server.endpoint,
      "daemonset.s3BucketName": bucket.name,
      "daemonset.s3AccessKey": bucket.server.accessKey,
      "daemonset.s3Secret": bucket.server.secret,
      ...changes,
    };
    const manifests = await renderChart("helm4", { files, values, namespace: NAMESPACE });
    const api = startKubernetesServer();
    try {
      await run({ containerd, manifests, api, bucket, port });
    } finally {
      api.stop();
    }
  }

  for (const file of FILES)
    gatedTest(`of ${file || "the defaults"} catches, delivers and goes`, obstacles, () =>
      withScene(file === "" ? [] : [file], {}, (scene) =>
        live(scene, `victim-${FILES.indexOf(file)}`),
      ),
    );

  for (const trial of TRIALS)
    gatedTest(trial.name, obstacles, () =>
      withScene([], trial.values ?? {}, (scene) => tryPrivileges(scene, trial)),
    );
});
