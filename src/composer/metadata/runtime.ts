// The port to the container runtime: a few questions, answered in crictl's JSON. Its adapters are native-runtime.ts
// (CRI over its socket) and crictl-runtime.ts (the owner's crictl).
import type { JsonObject } from "../../model/json.ts";

/** The port itself. Every question rejects where the runtime does not answer. */
export interface Runtime {
  /** The runtime's name for dump-info's list of what is missing: "containerd 1.7.1 on /run/…" or "crictl". */
  readonly name: string;

  /** Returns the pod's (sandbox's) id for a container, or null when the runtime does not know the container. */
  podIdOf(containerId: string): Promise<string | null>;
  /** Returns pods as `crictl pods -o json` lists them, filtered as far as the runtime can. */
  pods(filter: PodFilter): Promise<JsonObject[]>;
  /** Returns what `crictl inspectp -o json POD` prints. */
  inspectPod(podId: string): Promise<JsonObject>;
  /** Returns the items of `crictl ps -o json -p POD`: running ones first, each group newest first. */
  containers(podId: string): Promise<JsonObject[]>;
  /**
   * Returns one container as containers() lists it; null where this adapter cannot ask for one alone, or the runtime no
   * longer has it.
   */
  listed(containerId: string): Promise<JsonObject | null>;
  /** Returns the container's image as `crictl images -o json` lists it, or null. */
  image(container: JsonObject): Promise<JsonObject | null>;
  /** Returns details of a container. Without wantsPid the pid may be null. */
  container(containerId: string, wish: { wantsPid: boolean }): Promise<ContainerDetail>;
  /**
   * Returns the log by the runtime's own means, for where its file cannot be read; null where the runtime has no such
   * means.
   */
  logs(containerId: string, lines: number): Promise<string | null>;

  close(): void;
}

/** Which pods are wanted. */
export type PodFilter = { id: string } | { uid: string } | { name: string };

/** Details of a container. */
export interface ContainerDetail {
  /** "" where the runtime keeps no log file. */
  logPath: string;
  /** The main process's pid on the host, 0 when it has ended; null where the runtime does not tell. */
  pid: number | null;
}

/** The label with the pod's uid, which the kubelet gives every pod and container (kubernetes, pkg/kubelet/types). */
export const POD_UID_LABEL = "io.kubernetes.pod.uid";
/** The kubelet's label with the pod's name. */
export const POD_NAME_LABEL = "io.kubernetes.pod.name";

const RUNNING = "CONTAINER_RUNNING";

/** Sorts containers: running ones first (those that plain `crictl ps` lists), newest first in each group. */
export function inListOrder(containers: readonly JsonObject[]): JsonObject[] {
  const rank = (container: JsonObject) => (container["state"] === RUNNING ? 0 : 1);
  return containers.toSorted(
    (a, b) => rank(a) - rank(b) || compareTimes(b["createdAt"], a["createdAt"]),
  );
}

/** Compares createdAt values, which are nanoseconds as decimal text, because a number would not be exact. */
export function compareTimes(a: unknown, b: unknown): number {
  const [left, right] = [String(a), String(b)];
  return left.length - right.length || (left < right ? -1 : Number(left > right));
}
