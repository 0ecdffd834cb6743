// Whether a file at hand is the one that a crashed process had mapped: by its content where the dump tells that, by its
// build-id, by its program headers where there is none.
import { open } from "node:fs/promises";
import { ElfFile } from "../../explain/elf-file.ts";
import { isSameBuild } from "../../explain/mapped-modules.ts";
import { Malformed } from "../../explain/malformed.ts";
import { openFileBytes } from "../../host/file-bytes.ts";
import { digestModule, READ_MODULE, readModuleHead } from "../../host/module-file.ts";
import { errnoOf } from "../../model/app-error.ts";
import type { WantedFile } from "./wanted-modules.ts";

/** The verdict about a file. */
export type Match =
  /** The very file: its content is what was mapped. */
  | { kind: "same" }
  /** The same build; its content is not known, or other (stripped otherwise). */
  | { kind: "same_build"; isOtherContent: boolean }
  /** Neither build-ids nor contents can be compared; as far as headers tell it is the file. */
  | { kind: "likely" }
  /** `here` is the build-id that it has. */
  | { kind: "other_build"; here: string }
  /** There is no such file. */
  | { kind: "absent" }
  /** It cannot be used; `why` is a part of a sentence. */
  | { kind: "unusable"; why: string };

type Wish = Pick<WantedFile, "buildId" | "sha256" | "picture">;

/** Judges one file. Never throws for what the file is. */
export async function matchModule(path: string, wanted: Wish): Promise<Match> {
  try {
    const bytes = openFileBytes(path);
    try {
      const image = new ElfFile(bytes, true);
      if (!isSameBuild(image, wanted.buildId, wanted.picture))
        return { kind: "other_build", here: image.buildId ?? "none" };
    } finally {
      bytes.close();
    }
    return await compareContent(path, wanted);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return { kind: "absent" };
    if (error instanceof Malformed) return { kind: "unusable", why: error.message };
    return { kind: "unusable", why: `it cannot be read (${errnoOf(error) ?? "no regular file"})` };
  }
}

async function compareContent(path: string, { buildId, sha256 }: Wish): Promise<Match> {
  const file = await open(path, READ_MODULE);
  try {
    const { size } = await file.stat();
    if ((await readModuleHead(file, size))?.isCut === true)
      return { kind: "unusable", why: "it is shorter than its own headers say" };
    if (sha256 !== null && (await digestModule(file, size)) === sha256) return { kind: "same" };
  } finally {
    await file.close();
  }
  if (buildId !== null) return { kind: "same_build", isOtherContent: sha256 !== null };
  return sha256 === null ? { kind: "likely" } : { kind: "other_build", here: "none" };
}
