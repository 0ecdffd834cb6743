// What the chart's tests share: a containerd with the image of Dockerfile.gnu, a bucket on radosgw, and the chart
// rendered for this machine.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "bun:test";
import { makeBucket, type Bucket } from "../../support/bucket.ts";
import { buildChartImage, imageObstacle, importImage } from "../../support/chart-image.ts";
import { containerdObstacle, startContainerd, type Containerd } from "../../support/containerd.ts";
import { findProgram, kernelObstacle, missingProgram } from "../../support/gate.ts";
import { agentContainerOf, renderChart } from "../../support/helm.ts";
import { kubeletRoot } from "../../support/kubelet.ts";
import { startKubernetesServer } from "../../support/kubernetes-server.ts";
import { freePorts, s3Obstacle } from "../../support/radosgw.ts";
import { NAMESPACE, type Scene } from "./life.ts";

const PREPARE_MS = 180_000;

export interface Stage {
  /** The chart with these values on this machine: its runtime, its store, and a free port for the probes. */
  withScene: (
    files: readonly string[],
    changes: object,
    run: (scene: Scene) => Promise<void>,
  ) => Promise<void>;
  /** The bucket of these tests. */
  bucket: () => Bucket;
}

export const STAGE_OBSTACLES = [
  kernelObstacle(),
  containerdObstacle(),
  s3Obstacle(),
  imageObstacle(),
];

/** Why there can be no containerd of sharedNode(), or undefined. */
export function sharedNodeObstacle(): string | undefined {
  return missingProgram("prlimit") ?? missingProgram("unshare");
}

/**
 * A command to start containerd by: mounts are shared, as on a node with systemd, which mounts that follow the node's
 * ask for; and containers may leave cores, as they inherit containerd's RLIMIT_CORE.
 */
export function sharedNode(): string[] {
  return [
    findProgram("unshare") ?? "unshare",
    "--mount",
    "--propagation=shared",
    findProgram("prlimit") ?? "prlimit",
    "--core=unlimited",
  ];
}

interface StageOptions {
  /** What else these tests need. */
  obstacle?: string | undefined;
  /** A command to start containerd by. */
  wrapper?: string[];
}

/** To be called in a describe: it is set up and taken down around its tests. */
export function openStage({ obstacle: extraObstacle, wrapper = [] }: StageOptions = {}): Stage {
  const obstacles = [...STAGE_OBSTACLES, extraObstacle];
  const runs = obstacles.every((obstacle) => obstacle === undefined);
  let folder: string;
  let containerd: Containerd;
  let bucket: Bucket;
  beforeAll(async () => {
    if (!runs) return;
    folder = await mkdtemp(join(tmpdir(), "core-dump-handler-chart-"));
    const { image } = agentContainerOf(await renderChart("helm4"));
    [containerd, bucket] = await Promise.all([startContainerd(folder, { wrapper }), makeBucket()]);
    await importImage(containerd, await buildChartImage(image, folder));
  }, PREPARE_MS);
  afterAll(async () => {
    if (!runs) return;
    await containerd.stop();
    await rm(folder, { recursive: true });
  });
  return {
    bucket: () => bucket,
    async withScene(files, changes, run) {
      const [port = 0] = await freePorts(1);
      const values = {
        "daemonset.crioEndpoint": `unix://${containerd.socket}`,
        "daemonset.containerdRoot": join(folder, "root"),
        "daemonset.kubeletRoot": kubeletRoot(containerd),
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
    },
  };
}
