// Recovers dumps whose composer was killed or whose node lost power. Finds them by their hidden names, distinguishes
// them from dumps under way by a living composer's lock, seals them into valid zips and publishes them for delivery.
import { constants } from "node:fs";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeError, errnoOf } from "../../model/app-error.ts";
import {
  kindOfCoreFile,
  partialName,
  spoolName,
  uuidOfPartial,
  uuidOfSpool,
} from "../../model/core-file.ts";
import { isStillAt } from "../../host/files.ts";
import { SpoolFile } from "../../host/spool-file.ts";
import { tryLock } from "../../host/libc.ts";
import type { Log } from "../../host/log.ts";
import { publishFile } from "../../host/publication.ts";
import { shareFinishedFile } from "../../host/shared-folder.ts";
import { listNames } from "../../host/core-dir.ts";
import { sealPartial } from "./seal.ts";

/** Recovers partials. */
export interface Recovery {
  /** Seals what can be sealed now. Returns how many dumps it published. Never throws for a single file. */
  run(): Promise<number>;
}

/**
 * The age below which a file is left alone, in ms. A composer locks its file right after making it, and makes another
 * one where recovery was faster; this only saves it that work.
 */
const YOUNG_MS = 2_000;

/**
 * Opens recovery. Calls `onEnd` for every dump of a killed composer when it is a zip, or when nothing of it is left.
 */
export function openRecovery(
  coreDir: string,
  log: Log,
  onEnd: (uuid: string) => void = () => undefined,
): Recovery {
  /** Files that this agent has logged or tried, which it does once. */
  const settled = new Set<string>();

  async function run(): Promise<number> {
    let recovered = 0;
    for (const name of await listNames(coreDir)) {
      if (settled.has(name)) continue;
      const kind = kindOfCoreFile(name);
      if (kind === "foreign") {
        settled.add(name);
        log.warn("foreign_file", { path: join(coreDir, name), hint: "left alone" });
      }
      if (kind === "partial" && (await recoverOne(name))) recovered++;
      if (kind === "spool") await removeOrphan(name);
    }
    return recovered;
  }

  async function recoverOne(name: string): Promise<boolean> {
    const path = join(coreDir, name);
    const uuid = uuidOfPartial(name) ?? name;
    try {
      const end = await recoverFile(path, uuid, log);
      if (end !== "living") onEnd(uuid);
      return end === "recovered";
    } catch (error) {
      // After a full disk the next run may succeed; other errors will not change by themselves.
      if (errnoOf(error) !== "ENOSPC") settled.add(name);
      log.error("partial_not_recovered", { path, error: describeError(error) });
      return false;
    }
  }

  /** Removes a spool whose partial is gone: the zip has everything, or there is none. */
  async function removeOrphan(name: string): Promise<void> {
    const uuid = uuidOfSpool(name) ?? "";
    if (existsSync(join(coreDir, partialName(uuid)))) return;
    try {
      const spool = await SpoolFile.openAbandoned(join(coreDir, name));
      if (spool === undefined) return;
      await spool.remove();
      log.info("spool_removed", { uuid });
    } catch (error) {
      settled.add(name);
      log.error("partial_not_recovered", {
        path: join(coreDir, name),
        error: describeError(error),
      });
    }
  }

  return { run };
}

async function recoverFile(
  path: string,
  uuid: string,
  log: Log,
): Promise<"living" | "published" | "discarded" | "recovered"> {
  const file = await openAbandoned(path);
  if (file === undefined) return "living";
  let spool: SpoolFile | undefined;
  try {
    // The spool's composer is the partial's, which has ended.
    spool = await SpoolFile.openAbandoned(join(dirname(path), spoolName(uuid)));
    const { size, nlink } = await file.stat();
    if (nlink > 1) {
      await spool?.remove();
      await unlink(path);
      log.info("partial_was_published", { uuid });
      return "published";
    }
    const sealed = await sealPartial(file, uuid, spool);
    // The partial is whole and on the disk, or holds nothing.
    await spool?.remove();
    if (sealed === undefined) {
      await unlink(path);
      log.warn("partial_discarded", { uuid, bytes: size, because: "nothing of the dump is in it" });
      return "discarded";
    }
    await shareFinishedFile(file, dirname(path));
    const zip = await publishFile(path, sealed.base);
    const { core_bytes, core_complete, namespace, podname } = sealed.info;
    log.warn("partial_recovered", { uuid, zip, core_bytes, core_complete, namespace, podname });
    return "recovered";
  } finally {
    await spool?.close();
    await file.close();
  }
}

/** Opens and locks a file; undefined while its composer lives, when it no longer exists, and when it is too young. */
async function openAbandoned(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const found = await file.stat();
  const isYoung = Date.now() - found.mtimeMs < YOUNG_MS;
  if (found.isFile() && !isYoung && tryLock(file.fd) && (await isStillAt(path, found))) return file;
  await file.close();
  return undefined;
}
