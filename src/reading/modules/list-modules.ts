// `modules FILE`: which files the crashed process had mapped, and where they are; and fetches them into a folder.
import { mkdir } from "node:fs/promises";
import { Malformed } from "../../explain/malformed.ts";
import type { ProcessEnvironment } from "../../host/process-environment.ts";
import { AppError } from "../../model/app-error.ts";
import { openZippedCore } from "../core-bytes.ts";
import { findEntry, type DumpZip } from "../dump-zip.ts";
import { formatTable } from "../text-table.ts";
import { gatherModules, readModuleList, type GatheredModules } from "./module-gathering.ts";
import { layOut } from "./sysroot.ts";
import { idOf } from "./wanted-modules.ts";

/** One mapped file. */
export interface ShownModule {
  path: string;
  /** Null where nothing identifies it. */
  id: string | null;
  sha256: string | null;
  /** Where the very file was found; null where it was not. */
  found: string | null;
  /** Whether its separate debug information was found. */
  debug_info: boolean;
  /** What is to be said about it, in one line. */
  note: string | null;
}

/** Lists the files, and fetches those that are elsewhere into the cache; into `folder` too, where there is one. */
export async function showModules(
  zip: DumpZip,
  environment: ProcessEnvironment,
  folder: string | undefined,
  say: (line: string) => void,
): Promise<ShownModule[]> {
  const core = await openZippedCore(zip, findEntry(zip, "core"));
  let gathered: GatheredModules | undefined;
  try {
    const places = { sysroot: undefined, modules: undefined };
    const options = { ...places, environment, asksServersForDebugInfo: true, say };
    gathered = await gatherModules(core, await readModuleList(zip), options);
    const { files, debugFiles } = gathered;
    if (folder !== undefined) {
      await mkdir(folder).catch((cause: unknown) => {
        throw new AppError("usage", `cannot make the folder ${folder}`, { cause });
      });
      await layOut(folder, files, debugFiles, { made: "copies", hasStubs: false });
    }
    return files.map(({ wanted, path, source, line }) => ({
      path: wanted.path,
      id: idOf(wanted) ?? null,
      sha256: wanted.sha256,
      found: path === undefined ? null : source,
      debug_info: debugFiles.has(wanted.buildId ?? ""),
      note: line ?? null,
    }));
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new AppError("archive", `the core's mapped files cannot be read: ${error.message}`);
  } finally {
    gathered?.close();
    core.close();
  }
}

/** Writes the table for people. */
export function formatModules(
  modules: readonly ShownModule[],
  columns: number | undefined,
): string {
  const rows = modules.map(({ path, id, found, debug_info }) => [
    found ?? "missing",
    debug_info ? "yes" : "-",
    id ?? "unknown",
    path,
  ]);
  const head = ["FOUND", "DEBUG", "ID", "PATH"];
  return formatTable(rows, { head, elastic: 3, whole: 3, columns });
}
