// Gives a finished file its public name, and never replaces another file.
import { constants } from "node:fs";
import { link, lstat, open, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError, errnoOf } from "../model/app-error.ts";
import { syncDirectory } from "./files.ts";
import { tryLock } from "./libc.ts";

const COLLISIONS_MAX = 10_000;
const LOCK_WAIT_MS = 2_000;
const LOCK_STEP_MS = 2;
/** The errors of link(2) on filesystems without hard links (CIFS, vfat, some FUSE), or without more of them. */
const NO_LINKS = new Set(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EMLINK", "EINVAL"]);

/**
 * Moves `path`, whose bytes the caller has synced, to `base.zip` beside it, or to the first free `base-N.zip`. Returns
 * the new name. Throws AppError "publish".
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
  const moved = await moveByLink(path, target);
  return moved === "no_links" ? renameUnlessTaken(path, target) : moved === "moved";
}

/**
 * Gives a file another name by a link, which never replaces what stands there ("taken"). "no_links": the filesystem
 * has no hard links, and nothing was done.
 */
export async function moveByLink(
  path: string,
  target: string,
): Promise<"moved" | "taken" | "no_links"> {
  try {
    await link(path, target);
  } catch (error) {
    const errno = errnoOf(error) ?? "";
    if (errno === "EEXIST") return "taken";
    if (NO_LINKS.has(errno)) return "no_links";
    throw error;
  }
  await unlink(path);
  return "moved";
}

/**
 * Renames a file unless the new name exists, in which case it returns false. rename(2) would replace the other file, so
 * every process of this program first locks the folder and looks. Where the folder cannot be locked, it only looks.
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
