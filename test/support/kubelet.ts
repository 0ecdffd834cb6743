// Does for one rendered pod what the kubelet does: volumes, variables, security contexts, the lifecycle hook.
// The container runtime is real; what is translated here follows kuberuntime of Kubernetes 1.33.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Containerd } from "./containerd.ts";
import type { CriJson } from "./cri-driver.ts";
import type { Container, EnvEntry, Manifest, PodSpec } from "./helm.ts";

export interface Cluster {
  namespace: string;
  /** Where Secrets are looked up. */
  manifests: readonly Manifest[];
  /** Token and ca.crt, mounted where service accounts have them. */
  accountFolder: string;
  /** The API server. */
  apiUrl: string;
}

export interface RenderedPod {
  /** Runs a command in the agent's container, as a preStop hook or `kubectl exec` does. */
  exec(command: readonly string[]): Promise<{ exitCode: number; output: string }>;
  /** SIGTERM, the grace period, SIGKILL. The exit code. */
  stop(graceSeconds?: number): Promise<number>;
  /** Kills and removes it, in whatever state it is. */
  end(): Promise<void>;
  /** Waits for its own end. The exit code. */
  ended(): Promise<number>;
  log(): Promise<string>;
}

/** Of the kubelet, for containers that are not privileged (pkg/securitycontext). */
const MASKED = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
];
const READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
const ACCOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
/** There is no CNI on the tests' containerd, so every pod uses the host's network. */
const NAMESPACES = { network: "NODE", pid: "CONTAINER", ipc: "POD" };

export async function startRenderedPod(
  containerd: Containerd,
  pod: PodSpec,
  cluster: Cluster,
): Promise<RenderedPod> {
  const [container] = pod.containers;
  if (container === undefined) throw new Error("the pod has no container");
  const { cri, podLogs } = containerd;
  const uid = randomUUID();
  const logDirectory = join(podLogs, uid);
  await mkdir(join(logDirectory, container.name), { recursive: true });
  const security = securityOf(container);
  const cgroupParent = `/kubepods/burstable/pod${uid}`;
  containerd.podCgroups.push(cgroupParent);
  const sandboxConfig = {
    metadata: { name: `agent-${uid}`, uid, namespace: cluster.namespace, attempt: 0 },
    logDirectory,
    linux: {
      cgroupParent,
      securityContext: {
        namespaceOptions: NAMESPACES,
        privileged: security["privileged"],
        seccomp: { profileType: "RuntimeDefault" },
      },
    },
  };
  const { podSandboxId } = await cri.call("RunPodSandbox", { config: sandboxConfig });
  const config = {
    metadata: { name: container.name, attempt: 0 },
    image: { image: container.image },
    command: container.command ?? [],
    envs: environmentOf(container, cluster, `agent-${uid}`),
    mounts: await mountsOf(container, pod, cluster),
    logPath: `${container.name}/0.log`,
    linux: {
      resources: { memoryLimitInBytes: memoryLimitOf(container) },
      securityContext: security,
    },
  };
  const created = await cri.call("CreateContainer", { podSandboxId, config, sandboxConfig });
  const { containerId } = created;
  await cri.call("StartContainer", { containerId });
  return {
    async exec(command) {
      const answer = await cri.call("ExecSync", { containerId, cmd: command, timeout: 30 });
      const output = [answer["stdout"], answer["stderr"]].map((part) =>
        Buffer.from(part as Uint8Array).toString(),
      );
      return { exitCode: Number(answer["exitCode"]), output: output.join("") };
    },
    async stop(graceSeconds = 15) {
      await cri.call("StopContainer", { containerId, timeout: graceSeconds });
      const { status } = await cri.call("ContainerStatus", { containerId });
      return Number((status as CriJson)["exitCode"]);
    },
    async end() {
      await cri.call("StopContainer", { containerId, timeout: 0 });
      await cri.call("StopPodSandbox", { podSandboxId });
      await cri.call("RemovePodSandbox", { podSandboxId });
    },
    async ended() {
      for (;;) {
        const answer = await cri.call("ContainerStatus", { containerId });
        const { state, exitCode } = answer["status"] as CriJson;
        if (state === "CONTAINER_EXITED") return Number(exitCode);
        await Bun.sleep(100);
      }
    },
    log: () => readFile(join(logDirectory, container.name, "0.log"), "utf8"),
  };
}

function securityOf({ securityContext = {} }: Container): CriJson {
  const wish = securityContext as {
    privileged?: boolean;
    runAsUser?: number;
    runAsGroup?: number;
    allowPrivilegeEscalation?: boolean;
    capabilities?: { add?: string[]; drop?: string[] };
    readOnlyRootFilesystem?: boolean;
    seccompProfile?: { type: "RuntimeDefault" | "Unconfined" };
    seLinuxOptions?: Record<string, string>;
  };
  const privileged = wish.privileged ?? false;
  return {
    namespaceOptions: NAMESPACES,
    privileged,
    runAsUser: { value: wish.runAsUser ?? 0 },
    ...(wish.runAsGroup === undefined ? {} : { runAsGroup: { value: wish.runAsGroup } }),
    noNewPrivs: wish.allowPrivilegeEscalation === false,
    capabilities: {
      addCapabilities: wish.capabilities?.add ?? [],
      dropCapabilities: wish.capabilities?.drop ?? [],
    },
    readonlyRootfs: wish.readOnlyRootFilesystem ?? false,
    seccomp: { profileType: wish.seccompProfile?.type ?? "Unconfined" },
    ...(wish.seLinuxOptions === undefined ? {} : { selinuxOptions: wish.seLinuxOptions }),
    maskedPaths: privileged ? [] : MASKED,
    readonlyPaths: privileged ? [] : READ_ONLY,
  };
}

function environmentOf(container: Container, cluster: Cluster, podName: string): CriJson[] {
  const api = new URL(cluster.apiUrl);
  const values = new Map([
    ["KUBERNETES_SERVICE_HOST", api.hostname],
    ["KUBERNETES_SERVICE_PORT", api.port],
  ]);
  for (const entry of container.env ?? []) {
    const value = valueOf(entry, cluster, podName);
    if (value !== undefined) values.set(entry.name, value);
  }
  return [...values].map(([key, value]) => ({ key, value }));
}

function valueOf(entry: EnvEntry, cluster: Cluster, podName: string): string | undefined {
  if (entry.value !== undefined) return entry.value;
  const { secretKeyRef, fieldRef } = entry.valueFrom ?? {};
  if (fieldRef?.fieldPath === "metadata.name") return podName;
  if (fieldRef?.fieldPath === "metadata.namespace") return cluster.namespace;
  const secret = cluster.manifests.find(
    ({ kind, metadata }) => kind === "Secret" && metadata.name === secretKeyRef?.name,
  );
  const data = secret?.["data"] as Record<string, string> | undefined;
  const encoded = data?.[secretKeyRef?.key ?? ""];
  if (encoded !== undefined) return atob(encoded);
  if (secretKeyRef?.optional === true) return undefined;
  throw new Error(`${entry.name}: ${JSON.stringify(entry.valueFrom)} leads nowhere`);
}

async function mountsOf(container: Container, pod: PodSpec, cluster: Cluster): Promise<CriJson[]> {
  const mounts: CriJson[] = [
    { containerPath: ACCOUNT_PATH, hostPath: cluster.accountFolder, readonly: true },
  ];
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const volume = pod.volumes.find((each) => each.name === name);
    const hostPath = volume?.["hostPath"] as { path: string; type: string } | undefined;
    if (hostPath === undefined) throw new Error(`volume ${name} is no hostPath`);
    await checkHostPath(hostPath);
    mounts.push({ containerPath: mountPath, hostPath: hostPath.path });
  }
  return mounts;
}

async function checkHostPath({ path, type }: { path: string; type: string }): Promise<void> {
  if (type === "DirectoryOrCreate") await mkdir(path, { recursive: true, mode: 0o755 });
  const found = await stat(path);
  if (type === "File" && !found.isFile()) throw new Error(`${path} is no file`);
  if (type === "CharDevice" && !found.isCharacterDevice()) throw new Error(`${path} is no device`);
  if (type === "Socket" && !found.isSocket()) throw new Error(`${path} is no socket`);
}

/** 128Mi. The kubelet knows more notations; the chart's default is this one. */
function memoryLimitOf(container: Container): number {
  const { limits } = (container["resources"] ?? {}) as { limits?: { memory?: string } };
  const mebibytes = /^(\d+)Mi$/.exec(limits?.memory ?? "")?.[1];
  if (mebibytes === undefined) throw new Error("the container has no memory limit in Mi");
  return Number(mebibytes) * 2 ** 20;
}
