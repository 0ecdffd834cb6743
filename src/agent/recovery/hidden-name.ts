// The second name of a dump whose composer was killed between publishing it and taking its hidden name away. It goes
// before the dump does: alone, it would be taken for a dump that was never published, and sealed.
import { lstat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../../host/log.ts";
import { kindOfCoreFile, uuidOfPartial } from "../../model/core-file.ts";
import { listNames } from "../../host/core-dir.ts";

/** Whoever calls it holds the lock of the published file: its composer is dead. */
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
