// Keeps CORE_DIR within its limits: measures it, and drops modules (kept-modules.ts), then evicts dumps
// (src/model/eviction.ts decides which). Composers and
// agent use it, and one lock keeps two of them from evicting for the same need.
import { constants } from "node:fs";
import { open, statfs, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../model/app-error.ts";
import { shareOf } from "../model/disk-share.ts";
import { HOST_OWNER, UNKNOWN_OWNER } from "../model/dump-owner.ts";
import { planEvictions, type KeptDump } from "../model/eviction.ts";
import { dropModules, modulesDiskBytes } from "./kept-modules.ts";
import { tryLock } from "./libc.ts";
import {
  listStored,
  measureStored,
  readStoredInfo,
  workloadOf,
  type Survey,
} from "./stored-dumps.ts";

/** The owner's limits for CORE_DIR, as src/model/disk-share.ts reads them. */
export interface DiskLimits {
  /** The quota: what CORE_DIR may hold, as a share of its filesystem. */
  quota: string;
  /** The floor: what stays free on the filesystem. */
  free: string;
}

/** A dump that was evicted. */
export interface Evicted {
  zip: string;
  sizeBytes: number;
  workload: string;
  /** The namespace; null for a host process's dump, and where it is not certain. */
  namespace: string | null;
  ageSeconds: number;
}

/** What CORE_DIR holds and may still take. */
export interface Room {
  /** What CORE_DIR may still take, in bytes; below 0 when it is over its limits. */
  roomBytes: number;
  /** How many dumps composers are writing there. */
  underWay: number;
  /** The bytes of spools there, which are no part of the room. */
  spoolBytes: number;
  /** What CORE_DIR may hold in all, in bytes. */
  quotaBytes: number;
}

/** How much room is needed, and for whom. */
export interface Wish {
  wantedBytes: number;
  /** The file outside CORE_DIR that a process locks while it evicts. */
  lockPath: string;
  /**
   * The namespace of the dump that needs the room, as namespaceOwner has it; undefined where CORE_DIR itself is over
   * its limits.
   */
  asker?: string;
}

/** Measures CORE_DIR by looking at every file. Other work on this thread continues meanwhile. */
export async function measureRoom(coreDir: string, limits: DiskLimits): Promise<Room> {
  return roomOf(coreDir, limits, await measureStored(coreDir));
}

async function roomOf(
  coreDir: string,
  limits: DiskLimits,
  { usedBytes, underWay, spoolBytes }: Survey,
): Promise<Room> {
  const heldBytes = usedBytes + modulesDiskBytes(coreDir);
  const { bavail, blocks, bsize } = await statfs(coreDir);
  const totalBytes = blocks * bsize;
  const aboveFloor = bavail * bsize - shareOf(limits.free, totalBytes);
  const quotaBytes = shareOf(limits.quota, totalBytes);
  return {
    roomBytes: Math.min(aboveFloor, quotaBytes - heldBytes),
    underWay,
    spoolBytes,
    quotaBytes,
  };
}

/**
 * Evicts dumps until CORE_DIR has wantedBytes of room, or no more dumps may go. Returns "busy", and evicts nothing,
 * where another process is evicting.
 */
export async function makeRoom(
  coreDir: string,
  limits: DiskLimits,
  { wantedBytes, lockPath, asker }: Wish,
  onEvicted: (evicted: Evicted) => void,
): Promise<Room | "busy"> {
  const lock = await open(
    lockPath,
    constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    if (!tryLock(lock.fd)) return "busy";
    const { dumps, ...stored } = await listStored(coreDir);
    let before = await roomOf(coreDir, limits, stored);
    // A module gives way to a core: the next crash of its program brings it again.
    if (before.roomBytes < wantedBytes) {
      dropModules(coreDir, wantedBytes - before.roomBytes);
      before = await roomOf(coreDir, limits, stored);
    }
    if (before.roomBytes >= wantedBytes) return before;
    for (const dump of planEvictions(dumps, wantedBytes - before.roomBytes, asker))
      if (await evict(coreDir, dump, onEvicted)) stored.usedBytes -= dump.sizeBytes;
    return await roomOf(coreDir, limits, stored);
  } finally {
    await lock.close();
  }
}

/**
 * Deletes a dump. Returns false for one that no longer exists, and for one that delivery holds locked while it uploads
 * it.
 */
async function evict(
  coreDir: string,
  dump: KeptDump,
  onEvicted: (evicted: Evicted) => void,
): Promise<boolean> {
  const path = join(coreDir, dump.name);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (file === undefined) return false;
  let workload = dump.name;
  try {
    if (!tryLock(file.fd)) return false;
    workload = workloadOf(readStoredInfo(file.fd) ?? {}) ?? dump.name;
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return false;
  } finally {
    await file.close();
  }
  const { name, sizeBytes, modifiedMs, namespace } = dump;
  onEvicted({
    zip: name,
    sizeBytes,
    workload,
    namespace: namespace === HOST_OWNER || namespace === UNKNOWN_OWNER ? null : namespace,
    ageSeconds: Math.max(0, Math.round((Date.now() - modifiedMs) / 1000)),
  });
  return true;
}
