// One containerd for the tests of a file, and the frame of most of them: a pod, a crash, its zip.
import { afterAll, beforeAll } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { containerdObstacle, startContainerd, type Containerd } from "./containerd.ts";
import { gatedTest, kernelObstacle, missingProgram } from "./gate.ts";
import { withComposer, type InstalledComposer } from "./installed-composer.ts";
import { openZipOf, type OpenedZip } from "./opened-zip.ts";
import { startPod, type PodWish, type RunningPod } from "./pods.ts";

type Settings = Record<string, string | number | boolean>;

export interface Crash {
  composer: InstalledComposer;
  pod: RunningPod;
}

interface CrashPlan {
  settings?: Settings;
  /** comm of the process that crashes. */
  exe?: string;
  crash?: (crash: Crash) => Promise<void>;
}

export interface RuntimeSuite {
  obstacles: readonly (string | undefined)[];
  containerd(): Containerd;
  /** The composer's settings for this containerd. */
  settings(more?: Settings): Settings;
  test(name: string, body: () => Promise<void>): void;
  /** Starts a pod, lets it crash with the composer in place, and hands over the zip. */
  podTest(
    name: string,
    wish: PodWish,
    plan: CrashPlan,
    check: (zip: OpenedZip, crash: Crash) => Promise<void>,
  ): void;
}

/** Call once at the top of a test file. `wrapper` is a command to start containerd by. */
export function runtimeSuite(wrapper: string[] = []): RuntimeSuite {
  const obstacles = [kernelObstacle(), containerdObstacle(), missingProgram("unzip")];
  const ready = obstacles.every((obstacle) => obstacle === undefined);
  let folder = "";
  let started: Containerd | undefined;
  beforeAll(async () => {
    if (!ready) return;
    folder = await mkdtemp(join(tmpdir(), "runtime-suite-"));
    started = await startContainerd(folder, { wrapper });
  }, 60_000);
  afterAll(async () => {
    await started?.stop();
    if (folder !== "") await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const containerd = () => {
    if (started === undefined) throw new Error("containerd is not running");
    return started;
  };
  const settings = (more: Settings = {}) => ({
    IGNORE_CRIO: false,
    CRI_CLIENT: "native",
    CRIO_ENDPOINT: `unix://${containerd().socket}`,
    ...more,
  });
  return {
    obstacles,
    containerd,
    settings,
    test: (name, body) => gatedTest(name, obstacles, body),
    podTest: (name, wish, plan, check) =>
      gatedTest(name, obstacles, async () => {
        const pod = await startPod(containerd(), wish);
        await withComposer(settings(plan.settings), async (composer) => {
          await (plan.crash ?? crashFirst)({ composer, pod });
          await composer.zips(1);
          const zip = await openZipOf(plan.exe ?? "app", composer.coreDir, composer.folder);
          await check(zip, { composer, pod });
        });
      }),
  };
}

/** Makes the app of the pod's first container crash. */
export function crashFirst({ pod }: Pick<Crash, "pod">): Promise<void> {
  const [first] = pod.containers;
  if (first === undefined) throw new Error("the pod has no container");
  process.kill(first.pid, "SIGUSR1");
  return Promise.resolve();
}
