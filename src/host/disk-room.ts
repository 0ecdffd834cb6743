// CORE_DIR within its limits: measured, and where it is over them, dumps evicted (model/eviction.ts decides
// which). Composer and agent share it, and one lock keeps two of them from evicting for the same need.
import { constants, lstatSync, readdirSync } from "node:fs";
import { lstat, open, readdir, statfs, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../model/app-error.ts";
import { kindOfCoreFile } from "../model/core-file.ts";
import { shareOf } from "../model/disk-share.ts";
import { parseDumpHead } from "../model/dump-head.ts";
import { planEvictions, type StoredDump } from "../model/eviction.ts";
import { FIRST_ENTRY_ROOM_BYTES } from "../model/partial-layout.ts";
import { workloadKey } from "../model/workload.ts";
import { tryLock } from "./libc.ts";

/** st_blocks counts these (stat(2)), whatever the filesystem's own block. */
const BLOCK_BYTES = 512;

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
  namespace: string | null;
  ageSeconds: number;
}

export interface Room {
  /** What CORE_DIR may still take, in bytes; below 0 when it is over its limits. */
  roomBytes: number;
  /** Dumps that are being written there. */
  underWay: number;
}

/**
 * Asked before a core's first byte is read. Synchronous inside: thousands of files take a few milliseconds so,
 * and ten times as long one awaited call after the other.
 */
export async function measureRoom(coreDir: string, limits: DiskLimits): Promise<Room> {
  const { bavail, blocks, bsize } = await statfs(coreDir);
  const totalBytes = blocks * bsize;
  let [usedBytes, underWay] = [0, 0];
  for (const name of readdirSync(coreDir)) {
    // Gone since the listing: delivered, published or evicted by another process.
    const found = lstatSync(join(coreDir, name), { throwIfNoEntry: false });
    if (found?.isFile() !== true) continue;
    usedBytes += found.blocks * BLOCK_BYTES;
    if (kindOfCoreFile(name) === "partial") underWay++;
  }
  const aboveFloor = bavail * bsize - shareOf(limits.free, totalBytes);
  const belowQuota = shareOf(limits.quota, totalBytes) - usedBytes;
  return { roomBytes: Math.min(aboveFloor, belowQuota), underWay };
}

/**
 * Evicts dumps until CORE_DIR has wantedBytes of room, or nothing more may go. lockPath: a file of ours outside
 * CORE_DIR that whoever evicts holds locked. Returns "busy" where another process does: nothing was done here.
 */
export async function makeRoom(
  coreDir: string,
  limits: DiskLimits,
  { wantedBytes, lockPath }: { wantedBytes: number; lockPath: string },
  onEvicted: (evicted: Evicted) => void,
): Promise<Room | "busy"> {
  const lock = await open(
    lockPath,
    constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    if (!tryLock(lock.fd)) return "busy";
    const { roomBytes } = await measureRoom(coreDir, limits);
    if (roomBytes < wantedBytes) {
      const plan = planEvictions(await listStored(coreDir), wantedBytes - roomBytes);
      for (const dump of plan) await evict(coreDir, dump, onEvicted);
    }
    return await measureRoom(coreDir, limits);
  } finally {
    await lock.close();
  }
}

interface ListedDump extends StoredDump {
  namespace: string | null;
}

async function listStored(coreDir: string): Promise<ListedDump[]> {
  const stored: ListedDump[] = [];
  for (const name of await readdir(coreDir)) {
    const kind = kindOfCoreFile(name);
    if (kind !== "dump" && kind !== "partial") continue;
    const found = await lstat(join(coreDir, name)).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    const info = kind === "dump" ? await readInfo(join(coreDir, name)) : {};
    stored.push({
      name,
      sizeBytes: found.blocks * BLOCK_BYTES,
      modifiedMs: found.mtimeMs,
      workload: kind === "dump" ? workloadOf(info, name) : "",
      namespace: typeof info["namespace"] === "string" ? info["namespace"] : null,
      evictable: kind === "dump",
    });
  }
  return stored;
}

/** A dump that is being uploaded is locked by delivery, and stays. */
async function evict(
  coreDir: string,
  dump: ListedDump,
  onEvicted: (evicted: Evicted) => void,
): Promise<void> {
  const path = join(coreDir, dump.name);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (file === undefined) return;
  try {
    if (!tryLock(file.fd)) return;
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return;
  } finally {
    await file.close();
  }
  onEvicted({
    zip: dump.name,
    sizeBytes: dump.sizeBytes,
    workload: dump.workload,
    namespace: dump.namespace,
    ageSeconds: Math.max(0, Math.round((Date.now() - dump.modifiedMs) / 1000)),
  });
}

type LooseInfo = Readonly<Record<string, unknown>>;

async function readInfo(path: string): Promise<LooseInfo> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (file === undefined) return {};
  try {
    const head = Buffer.alloc(FIRST_ENTRY_ROOM_BYTES);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return parseDumpHead(head.subarray(0, bytesRead)) ?? {};
  } finally {
    await file.close();
  }
}

/** From dump-info, which does not hold the pod's labels: replicas count one by one. */
function workloadOf(info: LooseInfo, name: string): string {
  const text = (key: string) => (typeof info[key] === "string" ? info[key] : null);
  if (text("exe") === null) return name;
  return workloadKey({
    namespace: text("namespace"),
    podname: text("podname"),
    labels: {},
    container: text("container_name"),
    executable: text("path") ?? text("exe") ?? "",
    signal: text("signal") ?? "",
  });
}
