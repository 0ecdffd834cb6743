// Whether a dump under way may grow: CORE_DIR's quota, the filesystem's floor, and the reserve below which
// nothing goes. Older dumps give way first. Measured rarely while there is plenty, often when it gets tight. The
// crashed process waits little for it: what takes longer goes on beside the drain, which then stops at the reserve.
import { join } from "node:path";
import {
  makeRoom,
  measureRoom,
  type DiskLimits,
  type Evicted,
  type Room,
} from "../host/disk-room.ts";
import { EVICTION_LOCK } from "../model/host-file.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import { bytesAboveReserve } from "./disk-space.ts";

export interface DiskRules extends DiskLimits {
  reserveBytes: number;
}

export interface DiskLimitsContext {
  coreDir: string;
  hostDir: string;
  rules: DiskRules;
  log: ComposerLog;
  /** The dump's own namespace, as namespaceOwner has it, as far as it is known by now. */
  asker: () => string;
}

export interface OpenDiskLimits {
  /** Asked before `sizeBytes` of the core are read; false: the dump must end here. Never throws. */
  hasSpace(sizeBytes: number): Promise<boolean>;
  /** The core is at its end: nobody needs more room. */
  end(): void;
}

/** Blocks under way when a dump is told to stop, and the small entries after them: they are still written. */
const MARGIN_BYTES = 2 << 20;
/** A dump waits this long at most, in all, for room to be measured and made. */
const WAIT_MAX_MS = 1_000;
/** While another process makes room. */
const BUSY_STEP_MS = 20;
/** Room is made for more than one block at a time: a twentieth of the quota, this much at most. */
const BATCH_MAX_BYTES = 256 << 20;
const BATCH_PART = 1 / 20;

export function openDiskLimits(context: DiskLimitsContext): OpenDiskLimits {
  const { coreDir, hostDir, rules, log, asker } = context;
  const lockPath = join(hostDir, EVICTION_LOCK);
  /** How much more of the core may come before the next look; below 0: no more at all. */
  let allowanceBytes = 0;
  let looking: Promise<void> | undefined;
  let waitedMs = 0;
  const ended = new AbortController();

  async function look(): Promise<number> {
    const aboveReserve = await bytesAboveReserve(coreDir, rules.reserveBytes);
    if (rules.quota === "100%" && rules.free === "0") {
      // Neither quota nor floor. Without a reserve the disk's own end is the limit, to its last byte.
      return rules.reserveBytes === 0 ? Infinity : (aboveReserve - MARGIN_BYTES) / 2;
    }
    if (aboveReserve <= 0) return -1;
    let room = await measureRoom(coreDir, rules);
    // Dumps under way share the room; none may rely on what another is about to take.
    if (shareOf(room) < MARGIN_BYTES) room = await evictFor(room);
    return (shareOf(room) - MARGIN_BYTES) / 2;
  }

  async function evictFor({ underWay, quotaBytes }: Room): Promise<Room> {
    const least = 2 * MARGIN_BYTES * Math.max(1, underWay);
    const wantedBytes = Math.max(least, Math.min(quotaBytes * BATCH_PART, BATCH_MAX_BYTES));
    while (!ended.signal.aborted) {
      const wish = { wantedBytes, lockPath, asker: asker() };
      const made = await makeRoom(coreDir, rules, wish, (evicted) => tell(log, evicted));
      if (made !== "busy") return made;
      await Bun.sleep(BUSY_STEP_MS);
    }
    return measureRoom(coreDir, rules);
  }

  async function lookSafely(): Promise<void> {
    try {
      allowanceBytes = await look();
    } catch (error) {
      // Limits that cannot be measured must not cost a core: the disk's own end still does its work.
      log.milestone("warn", "disk_limits_unknown", { error: String(error) });
      allowanceBytes = Infinity;
    }
  }

  /** False where the look takes longer than this dump may wait. */
  async function hasLooked(done: Promise<void>): Promise<boolean> {
    const sinceMs = performance.now();
    const late = Promise.withResolvers<false>();
    const timer = setTimeout(() => late.resolve(false), Math.max(0, WAIT_MAX_MS - waitedMs));
    const isDone = await Promise.race([done.then(() => true), late.promise]);
    clearTimeout(timer);
    waitedMs += performance.now() - sinceMs;
    return isDone;
  }

  return {
    hasSpace: async (sizeBytes) => {
      if (allowanceBytes < 0) return false;
      allowanceBytes = Math.max(0, allowanceBytes - sizeBytes);
      if (allowanceBytes > 0) return true;
      looking ??= lookSafely().finally(() => (looking = undefined));
      if (await hasLooked(looking)) return allowanceBytes >= 0;
      return (await bytesAboveReserve(coreDir, rules.reserveBytes)) > MARGIN_BYTES;
    },
    end: () => ended.abort(),
  };
}

function shareOf({ roomBytes, underWay }: Room): number {
  return roomBytes / Math.max(1, underWay);
}

function tell(
  log: ComposerLog,
  { zip, sizeBytes, workload, namespace, ageSeconds }: Evicted,
): void {
  const fields = { zip, bytes: sizeBytes, workload, namespace, age_s: ageSeconds };
  log.milestone("warn", "dump_evicted", fields);
}
