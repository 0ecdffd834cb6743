// What explaining a core file needs of the container whose process left it: the places of its programs and libraries, as
// long as its layers are there. The memory is in the core file itself.
import { closeSync } from "node:fs";
import { openInLayers } from "../../host/layered-files.ts";
import type { HeadFacts } from "./core-head.ts";
import { emptyCopy, type HeldCopy } from "./held-copy.ts";

/** A core file, and where the files that its process had mapped may be. */
export interface CoreFilePlace {
  /** The core, for reading by offset; the caller's to close. */
  fd: number;
  /** The directories that the process's root was put together from, the topmost first; empty where they are not known. */
  layers: readonly string[];
}

/** Opens the mapped files' places; the caller closes them. Throws where the program's own is not to be had. */
export function copyOfCoreFile(
  { files, programHeaders = -1n }: Pick<HeadFacts, "files" | "programHeaders">,
  { layers }: CoreFilePlace,
  endBytes: number,
): HeldCopy {
  if (layers.length === 0)
    throw new Error("it is not known where the files of the crashed process are");
  const copy = emptyCopy(endBytes);
  for (const { start, end, path } of files) {
    const fd = openInLayers(layers, path.replace(/ \(deleted\)$/u, ""));
    if (fd === undefined) continue;
    copy.descriptors.push(fd);
    copy.modules.push({ start: start.toString(16), end: end.toString(16) });
    copy.paths.push(path);
    if (programHeaders >= start && programHeaders < end) copy.program = copy.modules.length - 1;
  }
  if (copy.program !== undefined) return copy;
  for (const fd of copy.descriptors) closeSync(fd);
  // An id made without the program's file would be another one than this bug has elsewhere.
  throw new Error("the program's file is not there any more, or in no layer of its container");
}
