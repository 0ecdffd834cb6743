// Writes files as root on the host: whole or not at all, never through a symbolic link, never over a running
// executable. Callers decide what is written and where.
import { constants } from "node:fs";
import { lstat, open, readdir, rename, stat, unlink, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError, errnoOf } from "../model/app-error.ts";
import { applyPatches, type FilePatch } from "./file-patch.ts";

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const READ_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const COPY_BLOCK_BYTES = 1 << 20;

/** Writes data to a new file beside `path`, syncs it and renames it over. Throws AppError "host". */
export async function writeFileAtomically(
  path: string,
  data: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  await replaceFile(path, mode, async (file) => file.writeFile(data));
}

/**
 * Copies `source` with patches to a new file and renames it over `target`, which may be a running program. Throws
 * AppError "host".
 */
export async function copyFileAtomically(
  source: string,
  target: string,
  mode: number,
  patches: readonly FilePatch[] = [],
): Promise<void> {
  // Follows a link in the source's place: /app/core-dump-agent is one, and its target belongs to this program.
  const from = await open(source, constants.O_RDONLY).catch((cause: unknown) => {
    throw new AppError("host", `cannot read ${source}`, { cause });
  });
  try {
    await replaceFile(target, mode, async (file) => {
      const block = new Uint8Array(COPY_BLOCK_BYTES);
      for (let position = 0; ;) {
        const { bytesRead } = await from.read(block, 0, block.length, null);
        if (bytesRead === 0) return;
        applyPatches(block.subarray(0, bytesRead), position, patches);
        position += bytesRead;
        await file.writeFile(block.subarray(0, bytesRead));
      }
    });
  } finally {
    await from.close();
  }
}

async function replaceFile(
  path: string,
  mode: number,
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = join(
    dirname(path),
    `.${basename(path)}.${process.pid}.${Bun.nanoseconds()}.new`,
  );
  try {
    const file = await open(temporary, NEW_FILE, mode);
    try {
      await fill(file);
      // Sets the mode again, because the umask may have removed bits.
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await removeFile(temporary).catch(() => false);
    throw new AppError("host", `cannot write ${path}`, { cause, ...hintFor(cause, path) });
  }
}

/** Returns a hint for a failed write below `path`'s folder; {} where there is none. */
export function hintFor(cause: unknown, path: string): { hint?: string } {
  const errno = errnoOf(cause);
  if (errno === "EROFS")
    return {
      hint: `${dirname(path)} is read-only; set HOST_DIR to a folder of the host that is writable`,
    };
  if (errno === "ENOSPC" || errno === "EDQUOT")
    return { hint: `the filesystem of ${dirname(path)} is full` };
  if (errno === "EACCES" || errno === "EPERM") return { hint: "the agent must run as root" };
  return {};
}

/** The name that replaceFile gives its unfinished file. */
const TEMPORARY = /^\..+\.\d+\.\d+\.new$/;

/** Removes unfinished files that killed writers left in `directory` and that are older than `ageMs`. */
export async function removeTemporaries(directory: string, ageMs: number): Promise<void> {
  if (!(await exists(directory))) return;
  for (const name of await readdir(directory)) {
    if (!TEMPORARY.test(name)) continue;
    const path = join(directory, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() === true && Date.now() - found.mtimeMs >= ageMs) await removeFile(path);
  }
}

/** Syncs `directory`, so that a link, rename or unlink in it survives a power loss. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    // fsync(2) gives EINVAL on filesystems that cannot sync directories (CIFS, some of FUSE).
    if (errnoOf(error) !== "EINVAL") throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Syncs `directory` and every folder above it up to `root`, so that the name of `directory` survives a power loss too.
 */
export async function syncDirectoriesUpTo(root: string, directory: string): Promise<void> {
  for (let at = directory; ; at = dirname(at)) {
    await syncDirectory(at);
    if (at === root || at === dirname(at)) return;
  }
}

/**
 * Reads the text of a regular file of at most maxBytes; undefined where it does not exist. Throws AppError "host" for a
 * symbolic link, another kind of file, or a longer file.
 */
export async function readTextFile(path: string, maxBytes = 1 << 20): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, READ_FILE);
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT" || errnoOf(cause) === "ENOTDIR") return undefined;
    throw new AppError("host", `cannot read ${path}`, { cause });
  }
  try {
    const { size } = await regular(file, path);
    if (size > maxBytes) throw new AppError("host", `${path} is longer than ${maxBytes} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

async function regular(file: FileHandle, path: string): Promise<{ size: number }> {
  const found = await file.stat();
  if (!found.isFile()) throw new AppError("host", `${path} is not a regular file`);
  return found;
}

/** Removes a file, but no directory. Returns whether it existed. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return false;
    throw new AppError("host", `cannot remove ${path}`, { cause: error });
  }
}

/** Returns whether `target` is a file with the bytes of `source` after the patches. */
export async function sameContent(
  source: string,
  target: string,
  patches: readonly FilePatch[] = [],
): Promise<boolean> {
  const found = await lstat(target).catch(() => undefined);
  const original = await stat(source);
  if (found === undefined || !found.isFile() || found.size !== original.size) return false;
  const [one, other] = await Promise.all([open(source), open(target)]);
  try {
    const [a, b] = [Buffer.alloc(COPY_BLOCK_BYTES), Buffer.alloc(COPY_BLOCK_BYTES)];
    for (let position = 0; position < original.size; position += COPY_BLOCK_BYTES) {
      const [left, right] = await Promise.all([
        one.read(a, 0, a.length, position),
        other.read(b, 0, b.length, position),
      ]);
      applyPatches(a.subarray(0, left.bytesRead), position, patches);
      if (!a.subarray(0, left.bytesRead).equals(b.subarray(0, right.bytesRead))) return false;
    }
    return true;
  } finally {
    await Promise.all([one.close(), other.close()]);
  }
}

/** Returns whether anything exists at `path`; follows links. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return false;
    throw new AppError("host", `cannot look at ${path}`, { cause: error });
  }
}

/**
 * Returns whether `path` is still the file that `opened` describes. Whoever locks a file looks again with it, as the
 * lock's previous holder may have removed or renamed the file between open and lock.
 */
export async function isStillAt(
  path: string,
  opened: { ino: number; dev: number },
): Promise<boolean> {
  try {
    const there = await lstat(path);
    return there.ino === opened.ino && there.dev === opened.dev;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return false;
    throw new AppError("host", `cannot look at ${path}`, { cause: error });
  }
}
