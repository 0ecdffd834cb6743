// The lock on a finished zip: flock(2) on the file itself. It ends with the process that holds it, and it
// holds between containers that share the node. While it is held nobody else delivers or evicts the file.
import { constants } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { tryLock } from "../../host/libc.ts";
import { AppError, errnoOf } from "../../model/app-error.ts";
import type { FileIdentity } from "./journal.ts";

export interface LockedFile {
  identity: FileIdentity;
  /** More than one where a composer was killed between giving it its name and taking its hidden one away. */
  linkCount: number;
  release(): Promise<void>;
}

/**
 * Locks the regular file at a path. Undefined where another process holds it, or has just delivered and
 * removed it. Throws AppError "host" for what is no regular file.
 */
export async function lockFile(path: string): Promise<LockedFile | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw new AppError("host", `cannot open ${path}`, { cause: error });
  }
  try {
    const opened = await file.stat();
    if (!opened.isFile()) throw new AppError("host", `${path} is not a regular file`);
    if (tryLock(file.fd) && (await isStillAt(path, opened.ino, opened.dev))) {
      const identity = { sizeBytes: opened.size, mtimeMs: opened.mtimeMs, inode: opened.ino };
      const held = file;
      return { identity, linkCount: opened.nlink, release: () => held.close() };
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

/** The holder before us may have removed the file between our open and our lock. */
async function isStillAt(path: string, inode: number, device: number): Promise<boolean> {
  try {
    const there = await stat(path);
    return there.ino === inode && there.dev === device;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
