// The reading half for a directory: the store of a VM without a bucket, or CORE_DIR itself.
import type { Dirent } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError, errnoOf } from "../../model/app-error.ts";
import { openFileSource } from "../byte-source.ts";
import type { StoreReader } from "../store-port.ts";

/** How many keys a page of names has, as a bucket's. */
const PAGE_KEYS = 1000;

/** Opens the zips below `directory`; their keys are their paths below it. */
export function openDirectoryReader(directory: string): StoreReader {
  return {
    name: directory,
    async *list(prefix, except) {
      const isWanted = (folder: string) =>
        mayHold(folder, prefix, "") && (except === undefined || !folder.startsWith(except));
      for await (const key of filesBelow(directory, "", isWanted)) {
        if (!key.endsWith(".zip") || !key.startsWith(prefix)) continue;
        const found = await statIfThere(join(directory, key));
        if (found?.isFile()) yield { key, sizeBytes: found.size, modifiedMs: found.mtimeMs };
      }
    },
    async *names(prefix, after = "") {
      let page: string[] = [];
      for await (const key of filesBelow(directory, "", (folder) =>
        mayHold(folder, prefix, after),
      )) {
        if (!key.startsWith(prefix) || key <= after) continue;
        page.push(key);
        if (page.length < PAGE_KEYS) continue;
        yield page;
        page = [];
      }
      yield page;
    },
    head: async (key, bytes) => readPart(join(directory, key), () => [0, bytes]),
    tail: async (key, bytes) =>
      readPart(join(directory, key), (size) => [Math.max(0, size - bytes), size]),
    async open(key) {
      const path = join(directory, key);
      const mtimeMs = (await stat(path).catch(noSuch(directory, key))).mtimeMs;
      return Object.assign(await openFileSource(path), { version: String(mtimeMs) });
    },
    close: () => undefined,
  };
}

/** Reads a range of a file; empty where it cannot be opened, or was delivered and removed meanwhile. */
async function readPart(
  path: string,
  range: (sizeBytes: number) => [start: number, end: number],
): Promise<Buffer> {
  try {
    const source = await openFileSource(path);
    return await source.read(...range(source.sizeBytes)).finally(() => source.close());
  } catch (error) {
    if (error instanceof AppError) return Buffer.alloc(0);
    throw error;
  }
}

/**
 * Yields every file below as its path from there, folder by folder in the order of names. Follows no link to a folder.
 */
async function* filesBelow(
  directory: string,
  folder: string,
  isWanted: (folder: string) => boolean = () => true,
): AsyncGenerator<string> {
  // Does not use readdir's recursion: Bun 1.4.5 follows links there, in circles and out of the directory.
  const entries = await readdir(join(directory, folder), { withFileTypes: true }).catch(
    (error: unknown) => {
      if (folder !== "" && errnoOf(error) === "ENOENT") return []; // removed meanwhile
      throw new AppError("store", `cannot look into ${join(directory, folder)}`, { cause: error });
    },
  );
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (!(await isFolder(entry, join(directory, path)))) yield path;
    else if (isWanted(`${path}/`)) yield* filesBelow(directory, path, isWanted);
  }
}

/**
 * Returns whether an entry is a folder. Some file systems (NFS without READDIRPLUS) do not give the kind of entries in
 * a listing.
 */
async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (entry.isDirectory()) return true;
  if (entry.isFile() || entry.isSymbolicLink()) return false;
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true;
}

function noSuch(directory: string, key: string) {
  return (cause: unknown) => {
    throw new AppError("store", `there is no ${key} in ${directory}`, { cause });
  };
}

/** Returns whether a folder, "a/b/", may hold keys that begin so and come after `after`. */
function mayHold(folder: string, prefix: string, after: string): boolean {
  const isOnTheWay = prefix.startsWith(folder) || folder.startsWith(prefix);
  return isOnTheWay && (folder > after || after.startsWith(folder));
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined; // delivered and removed meanwhile
    throw error;
  }
}
