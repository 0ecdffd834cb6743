// Names the workload that crashed, the same across restarts and replicas: namespace, owner, container, executable and
// signal. The crash-loop limit and the eviction of dumps use the same key.

/** What is known about the crashed process's place. */
export interface CrashIdentity {
  namespace: string | null;
  podname: string | null;
  labels: Readonly<Record<string, string>>;
  container: string | null;
  /** The executable's path. The process's name is not used, because the process can change it. */
  executable: string;
  signal: string;
}

/** Returns the workload's key, which may be long. */
export function workloadKey(crash: CrashIdentity): string {
  const owner = ownerOf(crash.podname, crash.labels);
  return [crash.namespace, owner, crash.container, crash.executable, crash.signal]
    .map((part) => (part ?? "").replaceAll("/", "!").slice(0, 200))
    .join("/");
}

/**
 * Returns what made the pod, as far as its labels tell. Deployments (pod-template-hash), Jobs, StatefulSets and
 * DaemonSets put their own labels on pods (kubernetes.io/docs/reference/labels-annotations-taints).
 */
export function ownerOf(
  podname: string | null,
  labels: Readonly<Record<string, string>>,
): string | null {
  const job = labels["batch.kubernetes.io/job-name"] ?? labels["job-name"];
  if (job !== undefined) return job;
  if (podname === null) return null;
  const templateHash = labels["pod-template-hash"];
  const templateAt = templateHash === undefined ? -1 : podname.lastIndexOf(`-${templateHash}-`);
  if (templateAt > 0) return podname.slice(0, templateAt);
  if (labels["statefulset.kubernetes.io/pod-name"] === podname) return podname.replace(/-\d+$/, "");
  if (labels["controller-revision-hash"] !== undefined) return podname.replace(/-[a-z0-9]{5}$/, "");
  return podname;
}

/** Returns 12 characters that stand for a key. They tell workloads apart within one namespace. */
export function hashWorkload(key: string): string {
  return new Bun.CryptoHasher("sha256").update(key).digest("base64url").slice(0, 12);
}
