// The container runtime as the composer sees it: a handful of questions, answered in crictl's JSON.
// Two sides: native-runtime.ts (CRI over its socket) and crictl-runtime.ts (the owner's crictl).
import type { JsonObject } from "../../model/json.ts";

export interface Runtime {
  /** For dump-info's list of what is missing: "containerd 1.7.1 on /run/…" or "crictl". */
  readonly name: string;

  /** The pod (sandbox) id of a container, or null when the runtime does not know it. */
  podIdOf(containerId: string): Promise<string | null>;
  /** Pods as `crictl pods -o json` lists them; filtered by the runtime as far as it can. */
  pods(filter: PodFilter): Promise<JsonObject[]>;
  /** As `crictl inspectp -o json POD`. */
  inspectPod(podId: string): Promise<JsonObject>;
  /** As the items of `crictl ps -o json -p POD`: running ones first, each group newest first. */
  containers(podId: string): Promise<JsonObject[]>;
  /**
   * One container as containers() lists it; null where the runtime cannot be asked for one alone, or has it no longer.
   */
  listed(containerId: string): Promise<JsonObject | null>;
  /** The container's image as `crictl images -o json` lists it, or null. */
  image(container: JsonObject): Promise<JsonObject | null>;
  /** Without wantsPid the pid may be null. */
  container(containerId: string, wish: { wantsPid: boolean }): Promise<ContainerDetail>;
  /** The log by the runtime's own means, where its file cannot be read; null where it has none. */
  logs(containerId: string, lines: number): Promise<string | null>;

  close(): void;
}

export type PodFilter = { id: string } | { uid: string } | { name: string };

export interface ContainerDetail {
  /** "" where the runtime keeps no log file. */
  logPath: string;
  /** The main process on the host, 0 when it has ended; null where the runtime does not say. */
  pid: number | null;
}

/** Labels that the kubelet gives every pod and container (kubernetes, pkg/kubelet/types). */
export const POD_UID_LABEL = "io.kubernetes.pod.uid";
export const POD_NAME_LABEL = "io.kubernetes.pod.name";

const RUNNING = "CONTAINER_RUNNING";

/** Running containers first (what plain `crictl ps` lists), newest first in each group. */
export function inListOrder(containers: readonly JsonObject[]): JsonObject[] {
  const rank = (container: JsonObject) => (container["state"] === RUNNING ? 0 : 1);
  return containers.toSorted(
    (a, b) => rank(a) - rank(b) || compareTimes(b["createdAt"], a["createdAt"]),
  );
}

/** Compares createdAt values: nanoseconds as decimal text, too long for a number to be exact. */
export function compareTimes(a: unknown, b: unknown): number {
  const [left, right] = [String(a), String(b)];
  return left.length - right.length || (left < right ? -1 : Number(left > right));
}
