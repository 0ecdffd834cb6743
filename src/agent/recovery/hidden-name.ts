// Removes the second, hidden name of a dump whose composer was killed after it linked the public name. It must go
// before the dump does: alone it would look like an unpublished dump, and recovery would seal it.
import { lstat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../../host/log.ts";
import { kindOfCoreFile, uuidOfPartial } from "../../model/core-file.ts";
import { listNames } from "../../host/core-dir.ts";

/** Removes the hidden name. The caller holds the lock of the published file, so its composer has ended. */
export async function removeHiddenName(zipPath: string, inode: number, log: Log): Promise<void> {
  const folder = dirname(zipPath);
  for (const name of await listNames(folder)) {
    if (kindOfCoreFile(name) !== "partial") continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.ino !== inode) continue;
    await unlink(path);
    log.info("partial_was_published", { uuid: uuidOfPartial(name) ?? name });
  }
}
