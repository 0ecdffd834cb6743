// Pods as the kubelet makes them, on a containerd of the tests: cgroup parents, labels, log files.
import { randomUUID } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Containerd } from "./containerd.ts";
import type { CriDriver, CriJson } from "./cri-driver.ts";

export interface ContainerWish {
  name: string;
  image: string;
  args?: string[];
  command?: string[];
  uid?: number;
  restartCount?: number;
  readOnlyRoot?: boolean;
  env?: Record<string, string>;
  mounts?: { containerPath: string; hostPath: string; readonly?: boolean }[];
}

export interface PodWish {
  name: string;
  namespace?: string;
  /** spec.hostname: any tenant may set it. */
  hostname?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  hostNetwork?: boolean;
  containers: ContainerWish[];
}

export interface RunningContainer {
  id: string;
  name: string;
  logPath: string;
  /** The main process on this host. */
  pid: number;
}

export interface RunningPod {
  id: string;
  uid: string;
  containers: RunningContainer[];
}

/** Starts a pod and waits until each container that says "ready" has said so. */
export async function startPod(containerd: Containerd, wish: PodWish): Promise<RunningPod> {
  const { cri, podLogs, podCgroups } = containerd;
  const namespace = wish.namespace ?? "default";
  const uid = randomUUID();
  const identity = {
    "io.kubernetes.pod.name": wish.name,
    "io.kubernetes.pod.namespace": namespace,
    "io.kubernetes.pod.uid": uid,
  };
  const logDirectory = join(podLogs, `${namespace}_${wish.name}_${uid}`);
  const cgroupParent = `/kubepods/besteffort/pod${uid}`;
  podCgroups.push(cgroupParent);
  const network = wish.hostNetwork === true ? "NODE" : "POD";
  const namespaceOptions = { network, pid: "CONTAINER", ipc: "POD" };
  const sandbox: CriJson = {
    metadata: { name: wish.name, uid, namespace, attempt: 0 },
    hostname: wish.hostNetwork === true ? "" : (wish.hostname ?? wish.name),
    logDirectory,
    labels: { ...wish.labels, ...identity },
    annotations: { "kubernetes.io/config.source": "api", ...wish.annotations },
    linux: {
      cgroupParent,
      securityContext: { namespaceOptions, seccomp: { profileType: "Unconfined" } },
    },
  };
  const { podSandboxId } = await cri.call("RunPodSandbox", { config: sandbox });
  const id = String(podSandboxId);
  const containers: RunningContainer[] = [];
  for (const container of wish.containers)
    containers.push(
      await startContainer(
        containerd,
        { id, sandbox, logDirectory, identity, namespaceOptions },
        container,
      ),
    );
  return { id, uid, containers };
}

interface Sandbox {
  id: string;
  sandbox: CriJson;
  logDirectory: string;
  identity: Record<string, string>;
  namespaceOptions: CriJson;
}

async function startContainer(
  { cri }: Containerd,
  { id, sandbox, logDirectory, identity, namespaceOptions }: Sandbox,
  wish: ContainerWish,
): Promise<RunningContainer> {
  const attempt = wish.restartCount ?? 0;
  await mkdir(join(logDirectory, wish.name), { recursive: true });
  const { containerId } = await cri.call("CreateContainer", {
    podSandboxId: id,
    sandboxConfig: sandbox,
    config: {
      metadata: { name: wish.name, attempt },
      image: { image: wish.image, userSpecifiedImage: wish.image },
      command: wish.command ?? [],
      args: wish.args ?? [],
      envs: Object.entries(wish.env ?? {}).map(([key, value]) => ({ key, value })),
      logPath: `${wish.name}/${attempt}.log`,
      labels: { ...identity, "io.kubernetes.container.name": wish.name },
      annotations: { "io.kubernetes.container.restartCount": String(attempt) },
      mounts: wish.mounts ?? [],
      linux: {
        securityContext: {
          namespaceOptions,
          readonlyRootfs: wish.readOnlyRoot === true,
          ...(wish.uid === undefined ? {} : unprivileged(wish.uid)),
          seccomp: { profileType: "Unconfined" },
        },
      },
    },
  });
  const logPath = join(logDirectory, wish.name, `${attempt}.log`);
  await cri.call("StartContainer", { containerId });
  const pid = await mainPid(cri, String(containerId));
  if (wish.image.includes("/app:")) await untilSaid(logPath, "ready");
  return { id: String(containerId), name: wish.name, logPath, pid };
}

/** 0 where the verbose status is longer than containerd sends. */
async function mainPid(cri: CriDriver, containerId: string): Promise<number> {
  const status = cri.call("ContainerStatus", { containerId, verbose: true });
  const { info } = await status.catch((error: unknown): CriJson => {
    if (!String(error).includes("larger than max")) throw error;
    return { info: { info: '{"pid":0}' } };
  });
  return (JSON.parse((info as Record<string, string>)["info"] ?? "{}") as { pid: number }).pid;
}

function unprivileged(uid: number): CriJson {
  return { runAsUser: { value: uid }, capabilities: { dropCapabilities: ["ALL"] } };
}

async function untilSaid(logPath: string, word: string): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const text = await readFile(logPath, "utf8").catch(() => "");
    if (text.includes(` F ${word}\n`)) return;
    await Bun.sleep(25);
  }
  throw new Error(`${logPath} never said ${word}`);
}
