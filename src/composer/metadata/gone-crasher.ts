// What is known about a crash whose process ended before the composer began, because its core lay in a file. Reads
// nothing from /proc, because another process may have its pid.
import {
  isObject,
  textAt,
  textMapAt,
  textsAt,
  type Json,
  type JsonObject,
} from "../../model/json.ts";
import type { Crasher } from "./crasher.ts";
import { POD_UID_LABEL } from "./runtime.ts";

/** A process that has ended. */
export interface GoneCrasher {
  crasher: Crasher;
  known: KnownPod;
}

/** Pod and container as the runtime listed them when the harvest found the file; null where it did not. */
export interface KnownPod {
  pod: JsonObject | null;
  container: JsonObject | null;
  /** The directories of the node that the crashed process's root was put together from, the topmost first. */
  layers: readonly string[];
}

/**
 * Identifies the process: by the container that the file was in, else as the host's, if its pid is one of the host's.
 */
export function identifyGone(
  containerId: string | null,
  known: KnownPod,
  pids: { pid: number | null; hostPid: number | null },
): Crasher["identity"] {
  const podUid =
    textAt(known.pod, "metadata", "uid") || textMapAt(known.container, "labels")[POD_UID_LABEL];
  // Several containers of a pod may share the directory; then the pod is known and the container is not.
  if (containerId !== null || podUid !== undefined)
    return { kind: "container", containerId, podUid: podUid ?? null, path: "" };
  const isHosts = pids.pid !== null && pids.pid === pids.hostPid;
  return isHosts ? { kind: "host", path: "" } : { kind: "unreadable" };
}

const NOTHING_KNOWN: KnownPod = { pod: null, container: null, layers: [] };

/** Parses what the agent knew when it found the core; nothing for any other text. Never throws. */
export function parseKnown(text: string | null): KnownPod {
  try {
    const value = JSON.parse(text ?? "null") as Json;
    if (!isObject(value)) return NOTHING_KNOWN;
    const { pod = null, container = null } = value;
    return {
      pod: isObject(pod) ? pod : null,
      container: isObject(container) ? container : null,
      layers: textsAt(value, "layers"),
    };
  } catch {
    return NOTHING_KNOWN;
  }
}
