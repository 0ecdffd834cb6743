// CORE_DIR within its limits: measured, and where it is over them, dumps evicted (model/eviction.ts decides
// which). Composer and agent share it, and one lock keeps two of them from evicting for the same need.
import { constants } from "node:fs";
import { open, statfs, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../model/app-error.ts";
import { shareOf } from "../model/disk-share.ts";
import { HOST_OWNER, UNKNOWN_OWNER } from "../model/dump-owner.ts";
import { planEvictions, type StoredDump } from "../model/eviction.ts";
import { tryLock } from "./libc.ts";
import {
  listStored,
  measureStored,
  readStoredInfo,
  workloadOf,
  type Survey,
} from "./stored-dumps.ts";

export interface DiskLimits {
  /** What CORE_DIR may hold, as a share of its filesystem. */
  quota: string;
  /** What must stay free on it. */
  free: string;
}

export interface Evicted {
  zip: string;
  sizeBytes: number;
  workload: string;
  /** null for a host process's dump, and where it is not known for certain. */
  namespace: string | null;
  ageSeconds: number;
}

export interface Room {
  /** What CORE_DIR may still take, in bytes; below 0 when it is over its limits. */
  roomBytes: number;
  /** Dumps that are being written there. */
  underWay: number;
  /** What CORE_DIR may hold in all, in bytes. */
  quotaBytes: number;
}

/** What is wanted, and by whom. */
export interface Wish {
  wantedBytes: number;
  /** A file of ours outside CORE_DIR that whoever evicts holds locked. */
  lockPath: string;
  /** The namespace of the dump that needs it, as namespaceOwner has it; undefined where the folder itself does. */
  asker?: string;
}

/** Looks at every file, and lets others on this thread work meanwhile. */
export async function measureRoom(coreDir: string, limits: DiskLimits): Promise<Room> {
  return roomOf(coreDir, limits, await measureStored(coreDir));
}

async function roomOf(
  coreDir: string,
  limits: DiskLimits,
  { usedBytes, underWay }: Survey,
): Promise<Room> {
  const { bavail, blocks, bsize } = await statfs(coreDir);
  const totalBytes = blocks * bsize;
  const aboveFloor = bavail * bsize - shareOf(limits.free, totalBytes);
  const quotaBytes = shareOf(limits.quota, totalBytes);
  return { roomBytes: Math.min(aboveFloor, quotaBytes - usedBytes), underWay, quotaBytes };
}

/**
 * Evicts dumps until CORE_DIR has wantedBytes of room, or nothing more may go. Returns "busy" where another process
 * does: nothing was done here.
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
    const before = await roomOf(coreDir, limits, stored);
    if (before.roomBytes >= wantedBytes) return before;
    for (const dump of planEvictions(dumps, wantedBytes - before.roomBytes, asker))
      if (await evict(coreDir, dump, onEvicted)) stored.usedBytes -= dump.sizeBytes;
    return await roomOf(coreDir, limits, stored);
  } finally {
    await lock.close();
  }
}

/** False for a dump that is gone, or being uploaded: delivery has it locked then, and it stays. */
async function evict(
  coreDir: string,
  dump: StoredDump,
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
