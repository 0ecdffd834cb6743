// Makes the keys of dump-info that come from the metadata: facts about the crashing process, the pod and the
// container.
import type { DumpInfo } from "../../model/dump-info.ts";
import type { Crasher } from "./crasher.ts";
import { at, textAt, textMapAt, type JsonObject } from "../../model/json.ts";
import { imageNames, type PodEntries } from "./pod-entries.ts";
import type { FoundPod } from "./pod-lookup.ts";

/** Returns the keys about the crashing process. */
export function crasherFacts({ identity, exePath }: Crasher): Partial<DumpInfo> {
  if (identity.kind === "unreadable") return { identity: "unknown", exe_path: exePath };
  const read = { cgroup: identity.path || null, exe_path: exePath };
  if (identity.kind === "host") return { identity: "host_process", ...read };
  const { containerId, podUid, path } = identity;
  // The process is probably in a container, but it is unknown in which.
  if (containerId === null && podUid === null) return { identity: "unknown", ...read };
  const known = path === "" ? "core_file" : "cgroup";
  return { identity: known, container_id: containerId, pod_uid: podUid, ...read };
}

/** Returns the keys about the pod and the container. */
export function podFacts(
  found: FoundPod,
  { containers, images, crashedIndex }: PodEntries,
): Partial<DumpInfo> {
  const pod: Partial<DumpInfo> = {
    identity: found.identity,
    namespace: textAt(found.pod, "metadata", "namespace") || null,
    podname: textAt(found.pod, "metadata", "name") || null,
    pod_uid: textAt(found.pod, "metadata", "uid") || null,
  };
  const container = crashedIndex === null ? undefined : containers[crashedIndex];
  if (container === undefined) return pod;
  const image = crashedIndex === null ? null : (images[crashedIndex] ?? null);
  return {
    ...pod,
    container_index: crashedIndex,
    container_name: textAt(container, "metadata", "name") || null,
    image:
      textAt(container, "image", "userSpecifiedImage") ||
      (image === null ? "" : (imageNames([image])[0] ?? "")) ||
      textAt(container, "image", "image") ||
      null,
    restart_count: restartCount(container),
  };
}

/**
 * Returns the keys about a pod that is only guessed. They are separate keys, so that nobody takes the guess for a fact.
 */
export function guessFacts(pod: JsonObject | null): Partial<DumpInfo> {
  if (pod === null) return {};
  return {
    guessed_namespace: textAt(pod, "metadata", "namespace") || null,
    guessed_podname: textAt(pod, "metadata", "name") || null,
    guessed_pod_uid: textAt(pod, "metadata", "uid") || null,
  };
}

/** Returns the kubelet's count, else CRI's attempt number, which the kubelet sets to its count. */
function restartCount(container: JsonObject): number | null {
  const annotated = textMapAt(container, "annotations")["io.kubernetes.container.restartCount"];
  const attempt = at(container, "metadata", "attempt");
  const count = annotated === undefined ? attempt : Number(annotated);
  return typeof count === "number" && Number.isSafeInteger(count) ? count : null;
}
