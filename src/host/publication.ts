// A finished file gets its public name: synced, whole, and never in the place of another file.
import { constants } from "node:fs";
import { link, lstat, open, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError, errnoOf } from "../model/app-error.ts";
import { syncDirectory } from "./files.ts";
import { tryLock } from "./libc.ts";

const COLLISIONS_MAX = 10_000;
const LOCK_WAIT_MS = 2_000;
const LOCK_STEP_MS = 2;
/** Filesystems without hard links (vfat, some FUSE) answer link(2) with one of these. */
const NO_LINKS = new Set(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EINVAL"]);

/**
 * Moves `path`, whose bytes are synced already, to `base.zip` beside it, or to the first free `base-N.zip`.
 * Returns the name. Throws AppError "publish".
 */
export async function publishFile(path: string, base: string): Promise<string> {
  const directory = dirname(path);
  try {
    for (let n = 0; n < COLLISIONS_MAX; n++) {
      const name = n === 0 ? `${base}.zip` : `${base}-${n}.zip`;
      if (!(await moveTo(path, join(directory, name)))) continue;
      await syncDirectory(directory);
      return name;
    }
  } catch (cause) {
    throw new AppError("publish", `cannot publish ${base}.zip in ${directory}`, { cause });
  }
  throw new AppError("publish", `${COLLISIONS_MAX} files named ${base} in ${directory}`);
}

/** False when the name is taken. */
async function moveTo(path: string, target: string): Promise<boolean> {
  try {
    await link(path, target);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    if (!NO_LINKS.has(errnoOf(error) ?? "")) throw error;
    return renameUnlessTaken(path, target);
  }
  await unlink(path);
  return true;
}

/**
 * rename(2) replaces whatever is there, so the look before it counts only under a lock on the folder, which
 * every process of ours takes. Where the folder cannot be locked the look alone has to do. False: taken.
 */
export async function renameUnlessTaken(path: string, target: string): Promise<boolean> {
  const folder = await open(dirname(target), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    for (let waitedMs = 0; waitedMs < LOCK_WAIT_MS && !tryLock(folder.fd); waitedMs += LOCK_STEP_MS)
      await Bun.sleep(LOCK_STEP_MS);
    if (await isTaken(target)) return false;
    await rename(path, target);
    return true;
  } finally {
    await folder.close();
  }
}

async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
