// What lies in CORE_DIR: finished dumps, dumps being written, delivery's own notes, and what is not ours.
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../model/app-error.ts";
import { kindOfCoreFile } from "../model/core-file.ts";

export interface Dump {
  path: string;
  name: string;
  sizeBytes: number;
  /** When its last byte was written. */
  modifiedMs: number;
}

/** Every finished zip, oldest first. No CORE_DIR: none. Links and other kinds of file are never dumps. */
export async function listDumps(coreDir: string): Promise<Dump[]> {
  const dumps: Dump[] = [];
  for (const name of await listNames(coreDir)) {
    if (kindOfCoreFile(name) !== "dump") continue;
    const path = join(coreDir, name);
    // Another agent may deliver it between the listing and now.
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() === true)
      dumps.push({ path, name, sizeBytes: found.size, modifiedMs: found.mtimeMs });
  }
  return dumps.sort((a, b) => a.modifiedMs - b.modifiedMs || (a.name < b.name ? -1 : 1));
}

export async function listNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
