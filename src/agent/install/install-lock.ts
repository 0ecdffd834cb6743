// One install or removal at a time on a host. The old and the new pod of an update, or a pod and a command typed on the
// node, could otherwise undo each other's half-done changes. The lock is flock(2) on a file that only root can open; it
// ends with its process.
import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { isStillAt } from "../../host/files.ts";
import { tryLock } from "../../host/libc.ts";
import type { Log } from "../../host/log.ts";
import { AppError, errnoOf } from "../../model/app-error.ts";
import { INSTALL_LOCK } from "../../model/host-file.ts";

/** How long to wait for another install or removal, in ms. A removal waits ten seconds for running composers. */
const WAIT_MAX_MS = 30_000;
const LOOK_AGAIN_MS = 20;

/**
 * Runs `work` while no other process installs on this HOST_DIR or removes from it. Runs it without a lock where
 * HOST_DIR does not exist; `makeFolder`, called before each try, prevents that. Throws AppError "host" where another
 * process keeps the lock for half a minute.
 */
export async function withInstallLock<T>(
  hostDir: string,
  log: Log,
  work: () => Promise<T>,
  makeFolder = async (): Promise<void> => {},
): Promise<T> {
  const path = join(hostDir, INSTALL_LOCK);
  const deadlineMs = Date.now() + WAIT_MAX_MS;
  for (let isFirstLook = true; ; isFirstLook = false) {
    await makeFolder();
    const lock = await tryOpenLocked(path);
    if (lock !== "held elsewhere") {
      try {
        return await work();
      } finally {
        await lock?.close();
      }
    }
    if (isFirstLook) log.info("waits_for_other_install", { host_dir: hostDir });
    if (Date.now() > deadlineMs)
      throw new AppError("host", `another process has been installing in HOST_DIR ${hostDir}`, {
        hint: "it still holds install.lock there; try again when it has ended",
      });
    await Bun.sleep(LOOK_AGAIN_MS);
  }
}

/** Returns the locked file; undefined where its folder does not exist. */
async function tryOpenLocked(path: string): Promise<FileHandle | undefined | "held elsewhere"> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    const hint = "only root may install on a host or remove from it";
    const isRefused = errnoOf(error) === "EACCES" || errnoOf(error) === "EPERM";
    throw new AppError("host", `cannot open ${path}`, {
      cause: error,
      ...(isRefused ? { hint } : {}),
    });
  }
  try {
    // The previous holder may have removed the file between this process's open and its lock.
    if (tryLock(file.fd) && (await isStillAt(path, await file.stat()))) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return "held elsewhere";
}
