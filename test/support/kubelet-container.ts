// One container of a rendered pod, translated as kuberuntime of Kubernetes 1.33 does: variables, mounts, the
// security context. Starting it is kubelet.ts's.
import { chmod, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
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

export interface PodPlace {
  name: string;
  /** Where its emptyDir volumes are made: KUBELET/pods/UID/volumes/kubernetes.io~empty-dir. */
  emptyDirs: string;
  /** Of a container in its sandbox: no two have the same name and attempt. */
  attempt: number;
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
const PROPAGATION = {
  None: "PROPAGATION_PRIVATE",
  HostToContainer: "PROPAGATION_HOST_TO_CONTAINER",
} as const;
const MEBIBYTES: Readonly<Record<string, number>> = { Mi: 1, Gi: 1024 };

/** There is no CNI on the tests' containerd, so every pod uses the host's network. */
export function namespacesOf(pod: PodSpec): CriJson {
  return { network: "NODE", pid: pod["hostPID"] === true ? "NODE" : "CONTAINER", ipc: "POD" };
}

export async function containerConfig(
  container: Container,
  pod: PodSpec,
  cluster: Cluster,
  place: PodPlace,
): Promise<CriJson> {
  return {
    metadata: { name: container.name, attempt: place.attempt },
    image: { image: container.image },
    command: container.command ?? [],
    envs: environmentOf(container, cluster, place.name),
    mounts: await mountsOf(container, pod, cluster, place),
    logPath: `${container.name}/0.log`,
    linux: {
      resources: { memoryLimitInBytes: memoryLimitOf(container) },
      securityContext: securityOf(container, pod),
    },
  };
}

export function isPrivileged({ securityContext }: Container): boolean {
  return securityContext?.["privileged"] === true;
}

function securityOf(container: Container, pod: PodSpec): CriJson {
  const wish = (container.securityContext ?? {}) as {
    runAsUser?: number;
    runAsGroup?: number;
    allowPrivilegeEscalation?: boolean;
    capabilities?: { add?: string[]; drop?: string[] };
    readOnlyRootFilesystem?: boolean;
    seccompProfile?: { type: "RuntimeDefault" | "Unconfined" };
    seLinuxOptions?: Record<string, string>;
  };
  const privileged = isPrivileged(container);
  return {
    namespaceOptions: namespacesOf(pod),
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
  if (fieldRef?.fieldPath === "spec.nodeName") return "node-1";
  if (fieldRef?.fieldPath === "status.podIP") return "127.0.0.1";
  const secret = cluster.manifests.find(
    ({ kind, metadata }) => kind === "Secret" && metadata.name === secretKeyRef?.name,
  );
  const data = secret?.["data"] as Record<string, string> | undefined;
  const encoded = data?.[secretKeyRef?.key ?? ""];
  if (encoded !== undefined) return atob(encoded);
  if (secretKeyRef?.optional === true) return undefined;
  throw new Error(`${entry.name}: ${JSON.stringify(entry.valueFrom)} leads nowhere`);
}

async function mountsOf(
  container: Container,
  pod: PodSpec,
  cluster: Cluster,
  place: PodPlace,
): Promise<CriJson[]> {
  const mounts: CriJson[] = [
    { containerPath: ACCOUNT_PATH, hostPath: cluster.accountFolder, readonly: true },
  ];
  for (const { name, mountPath, readOnly = false, mountPropagation } of container.volumeMounts ??
    [])
    mounts.push({
      containerPath: mountPath,
      hostPath: await pathOf(name, pod, place),
      readonly: readOnly,
      propagation: PROPAGATION[mountPropagation ?? "None"],
    });
  return mounts;
}

/** The volume's path on the host, made or checked. */
async function pathOf(volumeName: string, pod: PodSpec, place: PodPlace): Promise<string> {
  const volume = pod.volumes.find(({ name }) => name === volumeName);
  if (volume?.["emptyDir"] !== undefined) {
    const path = join(place.emptyDirs, volumeName);
    // Its umask is the caller's: the kubelet's are 0777.
    await mkdir(path, { recursive: true, mode: 0o777 });
    await chmod(path, 0o777);
    return path;
  }
  const hostPath = volume?.["hostPath"] as { path: string; type: string } | undefined;
  if (hostPath === undefined) throw new Error(`volume ${volumeName} is not known here`);
  await checkHostPath(hostPath);
  return hostPath.path;
}

async function checkHostPath({ path, type }: { path: string; type: string }): Promise<void> {
  if (type === "DirectoryOrCreate") await mkdir(path, { recursive: true, mode: 0o755 });
  const found = await stat(path);
  if (type === "Directory" && !found.isDirectory()) throw new Error(`${path} is no directory`);
  if (type === "File" && !found.isFile()) throw new Error(`${path} is no file`);
  if (type === "CharDevice" && !found.isCharacterDevice()) throw new Error(`${path} is no device`);
  if (type === "Socket" && !found.isSocket()) throw new Error(`${path} is no socket`);
}

/** 128Mi, 1Gi; 0 is no limit. The kubelet knows more notations. */
function memoryLimitOf(container: Container): number {
  const { limits } = (container["resources"] ?? {}) as { limits?: { memory?: string } };
  if (limits?.memory === undefined) return 0;
  const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(limits.memory) ?? [];
  const mebibytes = MEBIBYTES[unit ?? ""];
  if (mebibytes === undefined) throw new Error(`${limits.memory} is not in Mi or Gi`);
  return Number(number) * mebibytes * 2 ** 20;
}
