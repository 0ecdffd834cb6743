// Does for one rendered pod what the kubelet does: its containers, volumes, variables, security contexts, the
// lifecycle hook. The container runtime is real; what is translated is in kubelet-container.ts.
import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Containerd } from "./containerd.ts";
import type { CriJson } from "./cri-driver.ts";
import type { Container, PodSpec } from "./helm.ts";
import { containerConfig, isPrivileged, namespacesOf, type Cluster } from "./kubelet-container.ts";

export interface RenderedPod {
  /** Runs a command in the first container, as a preStop hook or `kubectl exec` does. */
  exec(command: readonly string[]): Promise<{ exitCode: number; output: string }>;
  /** To all containers at once: SIGTERM, the grace period, SIGKILL. The first one's exit code. */
  stop(graceSeconds?: number): Promise<number>;
  /** Kills one container, which then stays as it is until restart(). */
  kill(container: string): Promise<void>;
  /** Starts a container anew, as the kubelet does with one that ended. */
  restart(container: string): Promise<void>;
  /** Kills and removes it, in whatever state it is. */
  end(): Promise<void>;
  /** Waits for the first container's own end. The exit code. */
  ended(): Promise<number>;
  /** What all containers said, one after the other. */
  log(): Promise<string>;
}

export async function startRenderedPod(
  containerd: Containerd,
  pod: PodSpec,
  cluster: Cluster,
): Promise<RenderedPod> {
  const { cri, podLogs } = containerd;
  const uid = randomUUID();
  const name = `agent-${uid}`;
  const logDirectory = join(podLogs, uid);
  const cgroupParent = `/kubepods/burstable/pod${uid}`;
  containerd.podCgroups.push(cgroupParent);
  const sandboxConfig = {
    metadata: { name, uid, namespace: cluster.namespace, attempt: 0 },
    logDirectory,
    linux: {
      cgroupParent,
      securityContext: {
        namespaceOptions: namespacesOf(pod),
        privileged: pod.containers.some(isPrivileged),
        seccomp: { profileType: "RuntimeDefault" },
      },
    },
  };
  const { podSandboxId } = await cri.call("RunPodSandbox", { config: sandboxConfig });
  const emptyDirs = join(kubeletRoot(containerd), "pods", uid, "volumes/kubernetes.io~empty-dir");
  await mkdir(emptyDirs, { recursive: true });
  const ids = new Map<string, unknown>();
  let attempt = 0;
  const start = async (container: Container) => {
    await mkdir(join(logDirectory, container.name), { recursive: true });
    const place = { name, emptyDirs, attempt: attempt++ };
    const config = await containerConfig(container, pod, cluster, place);
    const made = await cri.call("CreateContainer", { podSandboxId, config, sandboxConfig });
    ids.set(container.name, made["containerId"]);
    await cri.call("StartContainer", { containerId: made["containerId"] });
  };
  const statusOf = async (id: unknown) =>
    (await cri.call("ContainerStatus", { containerId: id }))["status"] as CriJson;
  const endOf = async (id: unknown): Promise<number> => {
    for (;;) {
      const { state, exitCode } = await statusOf(id);
      if (state === "CONTAINER_EXITED") return Number(exitCode);
      await Bun.sleep(100);
    }
  };
  for (const container of pod.initContainers ?? []) {
    await start(container);
    const exitCode = await endOf(ids.get(container.name));
    if (exitCode !== 0) throw new Error(`init container ${container.name} ended with ${exitCode}`);
  }
  for (const container of pod.containers) await start(container);
  const containerId = ids.get(pod.containers[0]?.name ?? "");
  if (containerId === undefined) throw new Error("the pod has no container");
  const stopAll = async (timeout: number) => {
    await Promise.all(
      [...ids.values()].map((id) => cri.call("StopContainer", { containerId: id, timeout })),
    );
  };
  return {
    async exec(command) {
      const answer = await cri.call("ExecSync", { containerId, cmd: command, timeout: 30 });
      const output = [answer["stdout"], answer["stderr"]].map((part) =>
        Buffer.from(part as Uint8Array).toString(),
      );
      return { exitCode: Number(answer["exitCode"]), output: output.join("") };
    },
    async stop(graceSeconds = 15) {
      await stopAll(graceSeconds);
      return Number((await statusOf(containerId))["exitCode"]);
    },
    async kill(container) {
      await cri.call("StopContainer", { containerId: ids.get(container), timeout: 0 });
    },
    async restart(which) {
      const found = pod.containers.find(({ name: its }) => its === which);
      if (found !== undefined) await start(found);
    },
    async end() {
      await stopAll(0);
      await cri.call("StopPodSandbox", { podSandboxId });
      await cri.call("RemovePodSandbox", { podSandboxId });
    },
    ended: async () => endOf(containerId),
    async log() {
      const logs = [...ids.keys()].map((container) =>
        readFile(join(logDirectory, container, "0.log"), "utf8"),
      );
      return (await Promise.all(logs)).join("");
    },
  };
}

/** The kubelet's root folder of the tests' node: beside the runtime's own. */
export function kubeletRoot({ podLogs }: Containerd): string {
  return join(dirname(podLogs), "kubelet");
}
