// Makes and removes directories that root writes to: real directories that root owns, with no more access than they
// need.
import type { Stats } from "node:fs";
import { chmod, lstat, mkdir, rmdir } from "node:fs/promises";
import { AppError, errnoOf } from "../model/app-error.ts";
import { hintFor } from "./files.ts";

/** Removes an empty directory. Returns false where it is not empty, is in use, or does not exist. */
export async function removeEmptyDirectory(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    const expected = ["ENOTEMPTY", "EEXIST", "EBUSY", "ENOENT", "ENOTDIR", "EROFS"];
    if (expected.includes(errnoOf(error) ?? "")) return false;
    throw new AppError("host", `cannot remove ${path}`, { cause: error });
  }
}

/**
 * Makes the directory `path`, parents included. An existing directory loses the access that `mode` does not grant, and
 * gets no more than it has. Throws AppError "host" for a link, a file, a directory that another user owns, and where it
 * cannot be made.
 */
export async function ensureDirectory(path: string, mode: number): Promise<void> {
  const found = await makeAndLook(path, mode);
  if (!found.isDirectory())
    throw new AppError("host", `${path} is a symbolic link or no directory`, {
      hint: "a folder that root writes to must be a real one; remove the link or choose another path",
    });
  if (found.uid !== process.geteuid?.())
    throw new AppError("host", `${path} belongs to user ${found.uid}, not to us`, {
      hint: "its owner could replace what the kernel runs as root; change the owner or choose another path",
    });
  const narrowed = found.mode & (mode | 0o7000);
  if ((found.mode & 0o7777) !== narrowed) await chmod(path, narrowed);
}

/** How often a directory is made that another process removes in the same moment, as an uninstall beside a start does. */
const MAKE_TRIES = 10;

async function makeAndLook(path: string, mode: number): Promise<Stats> {
  try {
    for (let tries = 1; ; tries++) {
      await mkdir(path, { recursive: true, mode });
      try {
        return await lstat(path);
      } catch (error) {
        if (errnoOf(error) !== "ENOENT" || tries === MAKE_TRIES) throw error;
      }
    }
  } catch (cause) {
    throw new AppError("host", `cannot make the directory ${path}`, {
      cause,
      ...hintFor(cause, `${path}/`),
    });
  }
}
