// `modules add`: stores what a build pipeline ships: programs and libraries as executables, split debug information as
// debuginfo, by build-id. Folders are gone through.
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { digestModule, holdsNoCode, READ_MODULE, readModuleHead } from "../../host/module-file.ts";
import { describeError } from "../../model/app-error.ts";
import { isModuleId, moduleIdOf } from "../../model/module-id.ts";
import { storeModule, type ModuleStore, type ModuleUpload } from "./store-module.ts";

/** What became of one file, for the person's line. */
export interface AddedModule {
  path: string;
  /** "added", "beside" (another file of this build-id was there first), "skipped" or "failed". */
  kind: "added" | "beside" | "skipped" | "failed";
  /** The key, or the reason. */
  what: string;
}

/** Stores all files, and yields what became of each; in folders only what is a program, a library or debug information. */
export async function* addModules(
  paths: readonly string[],
  store: ModuleStore,
): AsyncGenerator<AddedModule> {
  for (const path of paths)
    for await (const { file, isAsked } of filesOf(path)) {
      const added = await addOne(file, store).catch((error: unknown): AddedModule => ({
        path: file,
        kind: "failed",
        what: describeError(error),
      }));
      if (added.kind !== "skipped" || isAsked) yield added;
    }
}

/** Yields the path itself, or the files below a folder; follows no links there. */
async function* filesOf(path: string): AsyncGenerator<{ file: string; isAsked: boolean }> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) {
    yield { file: path, isAsked: true };
    return;
  }
  for (const entry of entries) {
    const inside = join(path, entry.name);
    if (entry.isFile()) yield { file: inside, isAsked: false };
    if (!entry.isDirectory()) continue;
    for await (const { file } of filesOf(inside)) yield { file, isAsked: false };
  }
}

async function addOne(path: string, store: ModuleStore): Promise<AddedModule> {
  const found = await identify(path);
  if (typeof found === "string") return { path, kind: "skipped", what: found };
  const { kind, key } = await storeModule(found, store);
  return { path, kind: kind === "stored" ? "added" : "beside", what: key };
}

/** Returns the file to store, or why it is none. */
async function identify(path: string): Promise<ModuleUpload | string> {
  const file = await open(path, READ_MODULE);
  try {
    const found = await file.stat();
    if (!found.isFile()) return "it is no file";
    const head = await readModuleHead(file, found.size);
    if (head === undefined) return "it is no ELF program or library";
    const isDebugInfo = await holdsNoCode(file);
    if (isDebugInfo && (head.buildId === null || !isModuleId(head.buildId)))
      return "it is debug information without a build id";
    if (!isDebugInfo && head.isCut) return "it is shorter than its own headers say";
    const sha256 = await digestModule(file, found.size);
    return {
      path,
      id: moduleIdOf(head.buildId, sha256),
      sha256,
      sizeBytes: found.size,
      artifact: isDebugInfo ? "debuginfo" : "executable",
    };
  } finally {
    await file.close();
  }
}
