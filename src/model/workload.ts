// Whose crash it is, across restarts and replicas: namespace, owner, container, executable and signal. The same
// key for the crash-loop limit and for what gives way on a full disk.

export interface CrashIdentity {
  namespace: string | null;
  podname: string | null;
  labels: Readonly<Record<string, string>>;
  container: string | null;
  /** Path of the executable: the process's name is its own to change. */
  executable: string;
  signal: string;
}

export function workloadKey(crash: CrashIdentity): string {
  const owner = ownerOf(crash.podname, crash.labels);
  return [crash.namespace, owner, crash.container, crash.executable, crash.signal]
    .map((part) => (part ?? "").replaceAll("/", "!").slice(0, 200))
    .join("/");
}

/**
 * What made the pod, as far as its labels tell: Deployment (pod-template-hash), Job, StatefulSet and DaemonSet
 * leave their own marks there (kubernetes.io/docs/reference/labels-annotations-taints).
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

/** 12 characters in the place of a key that may have a thousand. Told apart only within a namespace. */
export function hashWorkload(key: string): string {
  return new Bun.CryptoHasher("sha256").update(key).digest("base64url").slice(0, 12);
}
