// The lock on a finished zip: flock(2) on the file itself. It ends with its process and works between containers that
// share the node. While it is held, no other process delivers or evicts the file.
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { isStillAt } from "../../host/files.ts";
import { tryLock } from "../../host/libc.ts";
import { AppError, errnoOf } from "../../model/app-error.ts";
import type { FileIdentity } from "./journal.ts";

/** A zip that this process holds locked. */
export interface LockedFile {
  identity: FileIdentity;
  /**
   * The number of names; two where a composer was killed after it linked the public name and before it removed the
   * hidden one.
   */
  linkCount: number;
  release(): Promise<void>;
}

/**
 * Locks the regular file at a path. Undefined where another process holds it, or has just delivered and removed it.
 * Throws AppError "host" for any other kind of file.
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
    if (tryLock(file.fd) && (await isStillAt(path, opened))) {
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
