// Opens spots: a container's layer with its /tmp in it, or the directory that is mounted there. They belong to others,
// who may be hostile.
import { closeSync, constants, openSync } from "node:fs";
import { listEntries, openDirectoryAt, openEntry } from "../../host/confined-files.ts";
import { errnoOf } from "../../model/app-error.ts";
import { CORE_FILE_DIRECTORY, CORE_FILE_PREFIX } from "../../model/core-file-pattern.ts";
import type { Place } from "./container-place.ts";
import type { ContainerRecord } from "./containers.ts";

/** The name `tmp` in a root directory. */
export const TMP_NAME = Buffer.from(CORE_FILE_DIRECTORY.slice(1));
/** How many names of a directory are read. inotify finds further ones when they appear. */
const NAMES_MAX = 50_000;
const O_PATH = 0o10000000;

/** A folder in which the kernel may write cores. */
export interface Spot {
  /** The directory itself, or for a layer the root that has it. */
  path: string;
  isLayer: boolean;
  /** The containers that have it as their /tmp, by id; none for the host's own. */
  owners: Map<string, ContainerRecord>;
}

/** Makes a place's spot; undefined for one out of reach. */
export function spotOf(place: Place): Spot | undefined {
  if (place.kind === "none") return undefined;
  const isLayer = place.kind === "layer";
  return { path: isLayer ? place.upperDir : place.path, isLayer, owners: new Map() };
}

/**
 * Opens a layer's root. Throws where it no longer exists. The path leads through containerd's own directories, which
 * only root can change.
 */
export function openLayerRoot(path: string): number {
  return openSync(path, O_PATH | constants.O_DIRECTORY);
}

/** Opens the directory of the cores; undefined where it does not exist (yet) or another kind of file has its name. */
export function openSpot({ path, isLayer }: Spot): number | undefined {
  try {
    if (!isLayer) return openDirectoryAt(path);
    const root = openLayerRoot(path);
    try {
      return openEntry(root, TMP_NAME, "directory");
    } finally {
      closeSync(root);
    }
  } catch (error) {
    // ELOOP and ENOTDIR mean a link or a file of that name.
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}

/**
 * Returns whether the agent sees the directory. It does not where the agent's container lacks the mount, or the
 * directory no longer exists.
 */
export function isVisible({ path, isLayer }: Spot): boolean {
  try {
    closeSync(isLayer ? openLayerRoot(path) : openDirectoryAt(path));
    return true;
  } catch {
    return false;
  }
}

/** Lists the names in an open spot that may be cores'. */
export function listCoreNames(directory: number): Buffer[] {
  return listEntries(directory, CORE_FILE_PREFIX, NAMES_MAX);
}

/** Returns whether a name may be a core's. */
export function isCoreFileName(name: Buffer): boolean {
  return name.subarray(0, CORE_FILE_PREFIX.length).equals(Buffer.from(CORE_FILE_PREFIX));
}
