// The listener's container of the rendered pod, alone, with the kernel sending it a core: what comes of it with all
// that the chart gives it, and without each of these rights. docs/security.md tells the results.
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "bun:test";
import { askListener } from "../../../src/agent/install/listener-process.ts";
import { planSocketPattern } from "../../../src/model/core-pattern.ts";
import { APP_IMAGE, type Containerd } from "../../support/containerd.ts";
import type { CriJson } from "../../support/cri-driver.ts";
import { capabilitiesOf, podOf, type PodSpec } from "../../support/helm.ts";
import { openZip, type OpenedZip } from "../../support/opened-zip.ts";
import { startPod } from "../../support/pods.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { onNode, startAgent, until, type Scene } from "./life.ts";

export interface ListenerTrial {
  name: string;
  /** A capability, or hostPID. */
  without?: string;
  /** Of the zip that comes; "lost" where none does. */
  comes: "lost" | ((zip: OpenedZip) => Promise<void>);
}

/** Another user than root, since that is what needs rights. */
const UID = 1000;

const whole = (zip: OpenedZip) => {
  expect(zip.info).toMatchObject({
    core_complete: true,
    signal: "11",
    hostname: "victim",
    path: "!bin!app",
    namespace: "shop",
    podname: "victim",
    missing: [],
  });
  expect(zip.suffixes).toEqual(expect.arrayContaining(["-0.log", "-crash-proc/environ"]));
};

export const LISTENER_TRIALS: readonly ListenerTrial[] = [
  {
    name: "as rendered, the listener tells all that the pipe tells",
    comes: async (zip) => whole(zip),
  },
  {
    name: "without SYS_PTRACE the signal, the host name and the program's path are not known",
    without: "SYS_PTRACE",
    comes: async ({ info }) => {
      expect(info).toMatchObject({ core_complete: true, podname: "victim" });
      expect(info).toMatchObject({ signal: "", hostname: "", path: "app (path unknown)" });
    },
  },
  {
    name: "without SYS_ADMIN the crashed process's host name is not known",
    without: "SYS_ADMIN",
    comes: async ({ info }) => {
      expect(info).toMatchObject({ core_complete: true, signal: "11", hostname: "" });
    },
  },
  {
    name: "without SYS_CHROOT a crash is told as well: it is for core_pattern alone",
    without: "SYS_CHROOT",
    comes: async (zip) => whole(zip),
  },
  {
    name: "without KILL a crash is told as well: it is for processes that the kernel would hold for hours",
    without: "KILL",
    comes: async (zip) => whole(zip),
  },
  {
    name: "without DAC_READ_SEARCH another user's process is not explained, and includeProcInfo has nothing of it",
    without: "DAC_READ_SEARCH",
    comes: async ({ info, suffixes }) => {
      expect(info).toMatchObject({
        core_complete: true,
        missing: [{ what: "summary" }, { what: "crash-proc" }],
      });
      expect(suffixes).not.toContain("-crash-proc/environ");
    },
  },
  {
    name: "without hostPID nobody can tell who crashed, and the core is lost",
    without: "hostPID",
    comes: "lost",
  },
];

export async function tryListener(scene: Scene, { without, comes }: ListenerTrial): Promise<void> {
  const { containerd } = scene;
  await withFolder((folder) =>
    onNode(scene, async (hostDir) => {
      const coreDir = join(hostDir, "cores");
      await mkdir(coreDir, { recursive: true });
      await writeFile(join(hostDir, ".env"), settingsFor(containerd, coreDir));
      const listener = await startAgent(scene, listenerOf(scene, without));
      await until(listener, "an answer", async () => (await askListener(hostDir)) !== undefined);
      await writeFile("/proc/sys/kernel/core_pattern", planSocketPattern(hostDir, true));
      await crash(containerd);
      // It ends when its composers are done.
      expect(await listener.stop(30)).toBe(0);
      const zips = (await readdir(coreDir)).filter((name) => name.endsWith(".zip"));
      expect(zips).toHaveLength(comes === "lost" ? 0 : 1);
      if (comes !== "lost") await comes(await openZip(join(coreDir, zips[0] ?? ""), folder));
      await rm(hostDir, { recursive: true });
    }),
  );
}

function settingsFor({ socket }: Containerd, coreDir: string): string {
  return `CORE_DIR=${coreDir}\nCRIO_ENDPOINT=unix://${socket}\nINCLUDE_PROC_INFO=true\n`;
}

function listenerOf({ manifests }: Scene, without: string | undefined): PodSpec {
  const { containers, ...pod } = structuredClone(podOf(manifests));
  const alone: PodSpec = {
    ...pod,
    containers: containers.filter(({ name }) => name === "listener"),
  };
  for (const container of alone.containers) {
    const add = capabilitiesOf(container).filter((capability) => capability !== without);
    container.securityContext = {
      ...container.securityContext,
      capabilities: { drop: ["ALL"], add },
    };
  }
  if (without === "hostPID") delete alone["hostPID"];
  return alone;
}

/** Until the crashed container has ended: the kernel holds it while its core is on the way. */
async function crash(containerd: Containerd): Promise<void> {
  const { containers } = await startPod(containerd, {
    name: "victim",
    namespace: "shop",
    containers: [{ name: "app", image: APP_IMAGE, args: ["talk", "3"], uid: UID }],
  });
  const [app] = containers;
  if (app === undefined) throw new Error("the pod has no container");
  process.kill(app.pid, "SIGUSR1");
  for (;;) {
    const { status } = await containerd.cri.call("ContainerStatus", { containerId: app.id });
    if ((status as CriJson)["state"] === "CONTAINER_EXITED") return;
    await Bun.sleep(50);
  }
}
