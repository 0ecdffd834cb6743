// Lists what lies in CORE_DIR.
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../model/app-error.ts";
import { kindOfCoreFile } from "../model/core-file.ts";

/** A finished dump. */
export interface FinishedDump {
  path: string;
  name: string;
  sizeBytes: number;
  /** When the file was last written, in ms since the epoch. */
  modifiedMs: number;
}

/**
 * Lists every finished zip, the oldest first; none where CORE_DIR does not exist. Ignores links and other kinds of
 * file.
 */
export async function listFinishedDumps(coreDir: string): Promise<FinishedDump[]> {
  const dumps: FinishedDump[] = [];
  for (const name of await listNames(coreDir)) {
    if (kindOfCoreFile(name) !== "dump") continue;
    const path = join(coreDir, name);
    // Another process may have delivered the file since the listing.
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() === true)
      dumps.push({ path, name, sizeBytes: found.size, modifiedMs: found.mtimeMs });
  }
  return dumps.sort((a, b) => a.modifiedMs - b.modifiedMs || (a.name < b.name ? -1 : 1));
}

/** Lists a directory's names; none where it does not exist. */
export async function listNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
