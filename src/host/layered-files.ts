// Opens files as a container saw them, in the directories that its root was put together from (overlayfs): the container's
// own layer first, then the image's. The layers are hostile: no link is followed, and nothing is opened but its place.
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { openEntry } from "./confined-files.ts";

const O_PATH = 0o10000000;

/**
 * Returns a descriptor (O_PATH) of the regular file at an absolute path without links in it, the topmost layer's; undefined
 * where no layer has one. A file that the container deleted is still found in the layer below.
 */
export function openInLayers(layers: readonly string[], path: string): number | undefined {
  const names = path.split("/").filter((name) => name !== "");
  if (!path.startsWith("/") || names.length === 0) return undefined;
  for (const layer of layers) {
    const fd = openBelow(layer, names);
    if (fd === undefined) continue;
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  }
  return undefined;
}

function openBelow(layer: string, names: readonly string[]): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(layer, O_PATH | constants.O_DIRECTORY);
    for (const [index, name] of names.entries()) {
      const above = fd;
      fd = undefined;
      try {
        const kind = index === names.length - 1 ? "any" : "directory";
        fd = openEntry(above, Buffer.from(name), kind);
      } finally {
        closeSync(above);
      }
    }
    return fd;
  } catch {
    return undefined; // this layer does not have it
  }
}
