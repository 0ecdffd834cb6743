// Waits for running composers when `remove` takes the product away, so that none writes to a log or a folder that was
// just removed.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { kindOfCoreFile } from "../../model/core-file.ts";
import { tryLock } from "../../host/libc.ts";
import { listNames } from "../../host/core-dir.ts";

const STEP_MS = 50;

/** Waits until no dump is under way in coreDir, or for maxMs. Returns how many still are. */
export async function waitForComposers(coreDir: string, maxMs: number): Promise<number> {
  for (let waitedMs = 0; ; waitedMs += STEP_MS) {
    const living = await countLiving(coreDir);
    if (living === 0 || waitedMs >= maxMs) return living;
    await Bun.sleep(STEP_MS);
  }
}

async function countLiving(coreDir: string): Promise<number> {
  let living = 0;
  for (const name of await listNames(coreDir)) {
    if (kindOfCoreFile(name) !== "partial") continue;
    const path = join(coreDir, name);
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
    if (file === undefined) continue;
    // A lock that can be taken shows that the composer has ended; the close below frees it again.
    if (!tryLock(file.fd)) living++;
    await file.close();
  }
  return living;
}
