// A container that ended by a signal that dumps core, and left none: said with the likely reason, not passed over.
import { closeSync, fstatSync } from "node:fs";
import { openEntry } from "../../host/confined-files.ts";
import { CORE_FILE_DIRECTORY } from "../../model/core-file-pattern.ts";
import type { ContainerRecord } from "./containers.ts";
import { openLayerRoot, TMP_NAME } from "./spots.ts";

/** signal(7): those whose default action is a core; the same on x86-64 and arm64. */
const DUMPING_SIGNALS = new Set([3, 4, 5, 6, 7, 8, 11, 24, 25, 31]);

/** The signal by which a container's first process ended, where it should have left a core. */
export function dumpingSignalOf(exitCode: number): number | undefined {
  const signal = exitCode - 128;
  return DUMPING_SIGNALS.has(signal) ? signal : undefined;
}

/** The likely reason, as far as the runtime and the image tell. */
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

/** What stands in the way in the image itself; undefined where nothing does, or it cannot be seen from here. */
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

/** The layer's own /tmp, a link itself included; undefined where the layer has none. */
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
