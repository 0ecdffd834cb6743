// What is known of a crash whose process is gone before anybody asks: its core lay in a file. Nothing of /proc is read
// then, as another process may have its pid.
import { isObject, textAt, textMapAt, type Json, type JsonObject } from "../../model/json.ts";
import type { Crasher } from "./crasher.ts";
import { POD_UID_LABEL } from "./runtime.ts";

export interface GoneCrasher {
  crasher: Crasher;
  known: KnownPod;
}

/** As the runtime listed them when the file was found; null where it did not. */
export interface KnownPod {
  pod: JsonObject | null;
  container: JsonObject | null;
}

/** Whose file it is: the container's that it lay in, else the host's, if its pid is one of the host's. */
export function identifyGone(
  containerId: string | null,
  known: KnownPod,
  pids: { pid: number | null; hostPid: number | null },
): Crasher["identity"] {
  const podUid =
    textAt(known.pod, "metadata", "uid") || textMapAt(known.container, "labels")[POD_UID_LABEL];
  // Several containers of a pod may share the directory: the pod is known then, and the container is not.
  if (containerId !== null || podUid !== undefined)
    return { kind: "container", containerId, podUid: podUid ?? null, path: "" };
  const isHosts = pids.pid !== null && pids.pid === pids.hostPid;
  return isHosts ? { kind: "host", path: "" } : { kind: "unreadable" };
}

/** What the agent knew when it found the core. Never throws. */
export function parseKnown(text: string | null): KnownPod {
  try {
    const value = JSON.parse(text ?? "null") as Json;
    if (!isObject(value)) return { pod: null, container: null };
    const { pod = null, container = null } = value;
    return { pod: isObject(pod) ? pod : null, container: isObject(container) ? container : null };
  } catch {
    return { pod: null, container: null };
  }
}
