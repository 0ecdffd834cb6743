// The directories where cores may lie, as open directories: a container's layer with its /tmp in it, or what is
// mounted there. They belong to others, hostile ones too.
import { closeSync, constants, openSync } from "node:fs";
import { listEntries, openDirectoryAt, openEntry } from "../../host/confined-files.ts";
import { errnoOf } from "../../model/app-error.ts";
import { CORE_FILE_DIRECTORY, CORE_FILE_PREFIX } from "../../model/core-file-pattern.ts";
import type { Place } from "./container-place.ts";
import type { ContainerRecord } from "./containers.ts";

/** `tmp`, as a name in a root directory. */
export const TMP_NAME = Buffer.from(CORE_FILE_DIRECTORY.slice(1));
/** Of a directory with more names, the rest is found when it appears, by inotify. */
const NAMES_MAX = 50_000;
const O_PATH = 0o10000000;

export interface Spot {
  /** The directory itself, or, for a layer, the root that it is in. */
  path: string;
  isLayer: boolean;
  /** The containers that see it as their /tmp, by their ids; none for the host's own. */
  owners: Map<string, ContainerRecord>;
}

export function spotOf(place: Place): Spot | undefined {
  if (place.kind === "none") return undefined;
  const isLayer = place.kind === "layer";
  return { path: isLayer ? place.upperDir : place.path, isLayer, owners: new Map() };
}

/** A layer's root. Throws where it is gone. Only root can change what leads to it: containerd's own directories. */
export function openLayerRoot(path: string): number {
  return openSync(path, O_PATH | constants.O_DIRECTORY);
}

/** The directory where the cores are; undefined where there is none (yet), or something else has its name. */
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
    // ELOOP, ENOTDIR: a link or a file of that name.
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** False where the directory is not there for us: not mounted into our container, or gone already. */
export function isVisible({ path, isLayer }: Spot): boolean {
  try {
    closeSync(isLayer ? openLayerRoot(path) : openDirectoryAt(path));
    return true;
  } catch {
    return false;
  }
}

/** Names that may be cores', in an open spot. */
export function listCoreNames(directory: number): Buffer[] {
  return listEntries(directory, CORE_FILE_PREFIX, NAMES_MAX);
}

export function isCoreName(name: Buffer): boolean {
  return name.subarray(0, CORE_FILE_PREFIX.length).equals(Buffer.from(CORE_FILE_PREFIX));
}
