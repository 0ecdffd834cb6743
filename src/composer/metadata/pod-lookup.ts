// Which pod a crash belongs to: the crashing process's cgroup names it. Where it does not, the host name is left, which
// anybody may choose (spec.hostname): one pod alone that is called so is a guess, and never more than that.
import type { CgroupIdentity } from "../../model/cgroup-path.ts";
import { textAt, type JsonObject } from "../../model/json.ts";
import { compareTimes, type PodFilter, type Runtime } from "./runtime.ts";
import type { Steps } from "./steps.ts";

export interface FoundPod {
  pod: JsonObject;
  identity: "cgroup" | "core_file";
}

export interface PodLookup {
  /** Null where the runtime knows no such pod. */
  found: FoundPod | null;
  /** The pod that has the crash's host name; null where there is a better word, or not one such pod. */
  guessed: JsonObject | null;
}

export const NO_POD: PodLookup = { found: null, guessed: null };

/** Never throws: every failure on the way is recorded. */
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
    // With the pod's uid known, a pod that merely has the same name is certainly another one.
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

/** By its container, but the uid in the path has the last word: the path is the kubelet's, down to the pod. */
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
  // The pod's own (pause) process runs in a cgroup named by the sandbox's id.
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

/** The sandbox that is ready, else the youngest: a pod whose sandbox was recreated has several. */
function newest(pods: JsonObject[]): JsonObject | null {
  const ready = pods.filter((pod) => textAt(pod, "state") === "SANDBOX_READY");
  const candidates = ready.length > 0 ? ready : pods;
  return candidates.toSorted((a, b) => compareTimes(b["createdAt"], a["createdAt"]))[0] ?? null;
}
