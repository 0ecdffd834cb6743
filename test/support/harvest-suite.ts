// What the tests of file capture share: a containerd whose containers may leave cores, pods of one app, and a look
// into their layers from outside.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { APP_IMAGE } from "./containerd.ts";
import { findProgram } from "./gate.ts";
import { withHarvest, type Harvested } from "./harvested.ts";
import { startPod, type ContainerWish, type PodWish, type RunningPod } from "./pods.ts";
import { runtimeSuite } from "./runtime-suite.ts";
import { runTool } from "./run-tool.ts";

type Settings = Record<string, string | number | boolean>;

/** Call once at the top of a test file. */
export function harvestSuite() {
  // Containers inherit containerd's own RLIMIT_CORE.
  const suite = runtimeSuite([findProgram("prlimit") ?? "prlimit", "--core=unlimited"]);

  const app = (more: Partial<ContainerWish> = {}): ContainerWish => ({
    name: "app",
    image: APP_IMAGE,
    args: ["talk", "1"],
    ...more,
  });

  const startAll = (
    name: string,
    containers: ContainerWish[],
    more: Partial<PodWish> = {},
  ): Promise<RunningPod> => startPod(suite.containerd(), { ...more, name, containers });

  /** The directories of its first container's root: its own layer, then the image's, the topmost first. */
  const layersOf = async (pod: RunningPod): Promise<string[]> => {
    const { socket } = suite.containerd();
    const ctr = ["ctr", "--address", socket, "--namespace", "k8s.io"];
    const id = pod.containers[0]?.id ?? "";
    const mounts = await runTool([...ctr, "snapshots", "mounts", "/x", id]);
    const upperDir = /upperdir=([^,\s]+)/.exec(mounts)?.[1];
    if (upperDir === undefined) throw new Error(`no upper directory in ${mounts}`);
    return [upperDir, ...(/lowerdir=([^,\s]+)/.exec(mounts)?.[1] ?? "").split(":")];
  };

  const layerOf = async (pod: RunningPod): Promise<string> => {
    const [own = ""] = await layersOf(pod);
    return own;
  };

  return {
    suite,
    app,
    startAll,
    layerOf,
    layersOf,
    start: (name: string, more: Partial<ContainerWish> = {}) => startAll(name, [app(more)]),

    /** Each with a harvest of its own, under the kernel's lock. */
    harvestTest: (
      name: string,
      body: (harvested: Harvested) => Promise<void>,
      settings: Settings = {},
    ): void => suite.test(name, () => withHarvest(suite.settings(settings), body)),

    /** The cores that lie in the layer of the pod's first container. */
    coresLeft: async (pod: RunningPod): Promise<string[]> => {
      const folder = join(await layerOf(pod), "tmp");
      const names = existsSync(folder) ? await readdir(folder) : [];
      return names.filter((name) => name.startsWith(".cdh-core."));
    },

    untilExited: async ({ containers: [container] }: RunningPod): Promise<void> => {
      const { cri } = suite.containerd();
      for (let tries = 0; tries < 1200; tries++) {
        const { status } = await cri.call("ContainerStatus", { containerId: container?.id });
        if ((status as { state: string }).state === "CONTAINER_EXITED") return;
        await Bun.sleep(25);
      }
      throw new Error(`${container?.name} did not end`);
    },
  };
}
