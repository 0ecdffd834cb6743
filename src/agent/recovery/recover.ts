// Dumps whose composer was killed (or whose node lost power): found by their hidden names, told from dumps
// under way by the lock that a living composer holds, sealed into valid zips and published for delivery.
import { constants } from "node:fs";
import { open, stat, unlink, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { describeError, errnoOf } from "../../model/app-error.ts";
import { kindOfCoreFile, uuidOfPartial } from "../../model/core-file.ts";
import { tryLock } from "../../host/libc.ts";
import type { Log } from "../../host/log.ts";
import { publishFile } from "../../host/publication.ts";
import { listNames } from "../../host/core-dir.ts";
import { sealPartial } from "./seal.ts";

export interface Recovery {
  /** Seals what can be sealed now. Returns how many dumps it published. Never throws for a single file. */
  run(): Promise<number>;
}

/**
 * A composer takes its lock right after making the file, and makes another where we were faster: to leave young files
 * alone only spares it that.
 */
const YOUNG_MS = 2_000;

/** `onEnd` is told of every dump that a killed composer left, when it is a zip or found to be nothing. */
export function openRecovery(
  coreDir: string,
  log: Log,
  onEnd: (uuid: string) => void = () => undefined,
): Recovery {
  /** Said, or tried, once in the agent's life. */
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
      // On a full disk the next run may do better; anything else will not change by itself.
      if (errnoOf(error) !== "ENOSPC") settled.add(name);
      log.error("partial_not_recovered", { path, error: describeError(error) });
      return false;
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
  try {
    const { size, nlink } = await file.stat();
    if (nlink > 1) {
      await unlink(path);
      log.info("partial_was_published", { uuid });
      return "published";
    }
    const sealed = await sealPartial(file, uuid);
    if (sealed === undefined) {
      await unlink(path);
      log.warn("partial_discarded", { uuid, bytes: size, because: "nothing of the dump is in it" });
      return "discarded";
    }
    const zip = await publishFile(path, sealed.base);
    const { core_bytes, core_complete, namespace, podname } = sealed.info;
    log.warn("partial_recovered", { uuid, zip, core_bytes, core_complete, namespace, podname });
    return "recovered";
  } finally {
    await file.close();
  }
}

/** The file, locked by us; undefined while its composer lives, or when it is gone or too young to tell. */
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
  if (found.isFile() && !isYoung && tryLock(file.fd) && (await isStillAt(path, found.ino)))
    return file;
  await file.close();
  return undefined;
}

/** Whoever held the lock before us may have published the file meanwhile. */
async function isStillAt(path: string, inode: number): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there?.ino === inode;
}
