// Finds the pod of a crash by the crashing process's cgroup. Where that names none, the host name remains, which any
// pod may choose (spec.hostname). If exactly one pod has that name, it is a guess, and never more than that.
import type { CgroupIdentity } from "../../model/cgroup-path.ts";
import { textAt, type JsonObject } from "../../model/json.ts";
import { compareTimes, type PodFilter, type Runtime } from "./runtime.ts";
import type { Steps } from "./steps.ts";

/** A pod that the runtime knows. */
export interface FoundPod {
  pod: JsonObject;
  identity: "cgroup" | "core_file";
}

/** The result of a lookup. */
export interface PodLookup {
  /** The pod; null where the runtime does not know it. */
  found: FoundPod | null;
  /** The only pod with the crash's host name; null where something better is known or several pods have the name. */
  guessed: JsonObject | null;
}

/** The result where nothing is known. */
export const NO_POD: PodLookup = { found: null, guessed: null };

/** Looks the pod up. Records every failure. Never throws. */
export async function findPod(
  runtime: Runtime,
  crashed: Exclude<CgroupIdentity, { kind: "host" }>,
  hostname: string,
  steps: Steps,
): Promise<PodLookup> {
  if (crashed.kind === "container") {
    const pod = await findByCgroup(runtime, crashed, steps);
    const identity = crashed.path === "" ? "core_file" : "cgroup";
    if (pod !== null) return { found: { pod, identity }, guessed: null };
    if (!steps.signal.aborted)
      steps.record("pod", `${runtime.name} does not know ${nameOf(crashed)}`);
    // The pod's uid is known, so a pod that only has the same name is another one.
    if (crashed.podUid !== null) return NO_POD;
  }
  const guess = () => guessPod(runtime, hostname);
  return { found: null, guessed: await steps.step("pod by host name", guess, null) };
}

type Container = Extract<CgroupIdentity, { kind: "container" }>;

function nameOf({ containerId, podUid, path }: Container): string {
  if (containerId !== null) return `container ${containerId}`;
  return podUid === null ? `a container at ${path}` : `pod ${podUid}`;
}

/** Finds the pod by its container. The uid in the path decides, because the kubelet makes the path down to the pod. */
async function findByCgroup(
  runtime: Runtime,
  { containerId, podUid }: Container,
  steps: Steps,
): Promise<JsonObject | null> {
  const pod = containerId === null ? null : await findByContainer(runtime, containerId, steps);
  if (podUid === null || (pod !== null && textAt(pod, "metadata", "uid") === podUid)) return pod;
  if (pod !== null) steps.record("pod", `container ${containerId} is not of pod ${podUid}`);
  const pods = await listPods(runtime, { uid: podUid }, steps);
  return newest(pods.filter((item) => textAt(item, "metadata", "uid") === podUid));
}

async function findByContainer(
  runtime: Runtime,
  containerId: string,
  steps: Steps,
): Promise<JsonObject | null> {
  const podId = await steps.step("container", () => runtime.podIdOf(containerId), null);
  // The pod's own (pause) process runs in a cgroup with the sandbox's id.
  const id = podId ?? containerId;
  const pods = await listPods(runtime, { id }, steps);
  return pods.find((item) => textAt(item, "id") === id) ?? null;
}

function listPods(runtime: Runtime, filter: PodFilter, steps: Steps): Promise<JsonObject[]> {
  return steps.step("pods", () => runtime.pods(filter), []);
}

async function guessPod(runtime: Runtime, hostname: string): Promise<JsonObject | null> {
  if (hostname === "") throw new Error("the kernel gave no host name");
  const named = (await runtime.pods({ name: hostname })).filter(
    (pod) => textAt(pod, "metadata", "name") === hostname,
  );
  const uids = new Set(named.map((pod) => textAt(pod, "metadata", "uid")));
  if (uids.size > 1) throw new Error(`${uids.size} pods are called ${hostname}`);
  return newest(named);
}

/** Returns the sandbox that is ready, else the youngest, because a pod whose sandbox was recreated has several. */
function newest(pods: JsonObject[]): JsonObject | null {
  const ready = pods.filter((pod) => textAt(pod, "state") === "SANDBOX_READY");
  const candidates = ready.length > 0 ? ready : pods;
  return candidates.toSorted((a, b) => compareTimes(b["createdAt"], a["createdAt"]))[0] ?? null;
}
