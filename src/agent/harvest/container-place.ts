// Finds where on the host a container's /tmp is, and what may prevent a core there, from the runtime's description of
// the container (CRI's verbose status, containerd's mounts of its snapshot). Pure.
import { CORE_FILE_DIRECTORY } from "../../model/core-file-pattern.ts";
import { at, objectsAt, textAt, textsAt, type Json, type JsonObject } from "../../model/json.ts";

/** Where a container's /tmp is. */
export type Place =
  /** In the container's own layer, below upperDir; lowerDirs are the image's, the topmost first. */
  | { kind: "layer"; upperDir: string; lowerDirs: readonly string[] }
  /** In a directory of the host that is mounted over /tmp. */
  | { kind: "mount"; path: string }
  /** The agent cannot reach it. */
  | { kind: "none"; why: string };

/** What else decides whether a process of the container can leave a core. */
export interface CoreLimits {
  isReadOnlyRoot: boolean;
  /** The container's soft RLIMIT_CORE in bytes; null where the runtime's own applies. */
  coreLimitBytes: number | null;
  /** The user of the container's first process. */
  uid: number;
}

/** Returns the mount over /tmp; undefined where /tmp is in the container's own layer. */
export function parseMountPlace(spec: Json | undefined): Place | undefined {
  const mount = objectsAt(spec, "mounts").findLast(
    (candidate) => textAt(candidate, "destination").replace(/\/+$/, "") === CORE_FILE_DIRECTORY,
  );
  if (mount === undefined) return undefined;
  const type = textAt(mount, "type");
  if (textsAt(mount, "options").includes("ro"))
    return { kind: "none", why: `what is mounted at ${CORE_FILE_DIRECTORY} is read-only` };
  const source = textAt(mount, "source");
  if (type === "bind" && source.startsWith("/")) return { kind: "mount", path: source };
  const why = `${CORE_FILE_DIRECTORY} is a ${type} of the container's own, out of the host's reach`;
  return { kind: "none", why };
}

/** Returns the directory that holds the container's writes, from containerd's mounts of its snapshot. */
export function parseLayerPlace(mounts: readonly JsonObject[]): Place {
  // The last mount is the root itself; those before it (erofs) are its parts.
  const mount = mounts.at(-1);
  const type = textAt(mount, "type");
  const options = textsAt(mount, "options");
  const option = (name: string) =>
    options.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  const upperDir = option("upperdir");
  if (type === "overlay" && upperDir.startsWith("/"))
    return { kind: "layer", upperDir, lowerDirs: option("lowerdir").split(":") };
  const source = textAt(mount, "source");
  // An image without layers and the native snapshotter have a plain directory.
  if (type === "bind" && options.includes("rw") && source.startsWith("/"))
    return { kind: "layer", upperDir: source, lowerDirs: [] };
  const why = `its root is ${type === "" ? "no mount" : type}, and only overlayfs is supported`;
  return { kind: "none", why };
}

/** Reads these limits from the container's runtime spec. */
export function parseCoreLimits(spec: Json | undefined): CoreLimits {
  const limit = objectsAt(spec, "process", "rlimits").find(
    (candidate) => candidate["type"] === "RLIMIT_CORE",
  );
  const soft = limit?.["soft"];
  const uid = at(spec, "process", "user", "uid");
  return {
    isReadOnlyRoot: at(spec, "root", "readonly") === true,
    coreLimitBytes: typeof soft === "number" ? soft : null,
    uid: typeof uid === "number" ? uid : 0,
  };
}
