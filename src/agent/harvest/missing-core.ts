// Finds the likely reason why a container that ended by a signal that dumps core left no core.
import { closeSync, fstatSync } from "node:fs";
import { openEntry } from "../../host/confined-files.ts";
import { CORE_FILE_DIRECTORY } from "../../model/core-file-pattern.ts";
import type { ContainerRecord } from "./containers.ts";
import { openLayerRoot, TMP_NAME } from "./spots.ts";

/** The signals whose default action is a core (signal(7)), the same on x86-64 and arm64. */
const DUMPING_SIGNALS = new Set([3, 4, 5, 6, 7, 8, 11, 24, 25, 31]);

/** Returns the signal that ended a container's first process, if it dumps core; else undefined. */
export function dumpingSignalOf(exitCode: number): number | undefined {
  const signal = exitCode - 128;
  return DUMPING_SIGNALS.has(signal) ? signal : undefined;
}

/** Returns the likely reason as one sentence, as far as the runtime and the image show it. */
export function findReason({ place, limits }: ContainerRecord): string {
  if (place.kind === "none") return place.why;
  if (place.kind === "layer" && limits.isReadOnlyRoot)
    return `its root file system is read-only, and no volume is mounted at ${CORE_FILE_DIRECTORY}`;
  if (limits.coreLimitBytes !== null && limits.coreLimitBytes === 0) return "its RLIMIT_CORE is 0";
  if (place.kind === "layer") {
    const reason = judgeDirectory([place.upperDir, ...place.lowerDirs], limits.uid);
    if (reason !== undefined) return reason;
  }
  return "unknown: RLIMIT_CORE is 0 in the process, the disk or the pod's ephemeral storage is full, or the core was removed";
}

/** Returns what in the image prevents a core; undefined where nothing does or it cannot be seen from here. */
function judgeDirectory(layers: readonly string[], uid: number): string | undefined {
  for (const layer of layers) {
    const found = lookAt(layer);
    if (found === "unseen") return undefined;
    if (found === undefined) continue;
    if (found.isSymbolicLink())
      return `${CORE_FILE_DIRECTORY} is a symbolic link, which is not followed`;
    if (!found.isDirectory()) return `its ${CORE_FILE_DIRECTORY} is no directory`;
    const mayWrite = uid === 0 || (found.mode & 0o002) !== 0 || found.uid === uid;
    return mayWrite ? undefined : `user ${uid} may not write to its ${CORE_FILE_DIRECTORY}`;
  }
  return `it has no ${CORE_FILE_DIRECTORY}`;
}

/** Looks at the layer's own /tmp without following a link; undefined where the layer has none. */
function lookAt(layer: string) {
  try {
    const root = openLayerRoot(layer);
    try {
      const fd = openEntry(root, TMP_NAME, "any");
      const found = fstatSync(fd);
      closeSync(fd);
      return found;
    } catch {
      return undefined;
    } finally {
      closeSync(root);
    }
  } catch {
    return "unseen" as const;
  }
}
