// Whether a dump under way may grow: CORE_DIR's quota, the filesystem's floor, and the reserve below which
// nothing goes. Older dumps give way first. Measured rarely while there is plenty, often when it gets tight.
import { join } from "node:path";
import {
  makeRoom,
  measureRoom,
  type DiskLimits,
  type Evicted,
  type Room,
} from "../host/disk-room.ts";
import { EVICTION_LOCK } from "../model/host-file.ts";
import { CORE_BLOCK_BYTES } from "../model/partial-layout.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import { bytesAboveReserve } from "./disk-space.ts";

export interface DiskRules extends DiskLimits {
  reserveBytes: number;
}

/** Blocks under way when a dump is told to stop, and the small entries after them: they are still written. */
const MARGIN_BYTES = 2 << 20;
/** A dump waits this long at most for another process that makes room. */
const WAIT_MAX_MS = 1_000;
const WAIT_STEP_MS = 20;

/** Returns a check to be made before each block of the core; false: the dump must end here. Never throws. */
export function openDiskLimits(
  coreDir: string,
  hostDir: string,
  rules: DiskRules,
  log: ComposerLog,
): () => Promise<boolean> {
  const lockPath = join(hostDir, EVICTION_LOCK);
  /** How much more of the core may come before the next look. */
  let allowanceBytes = 0;

  async function look(): Promise<boolean> {
    const aboveReserve = await bytesAboveReserve(coreDir, rules.reserveBytes);
    if (rules.quota === "100%" && rules.free === "0") {
      // Neither quota nor floor. Without a reserve the disk's own end is the limit, to its last byte.
      allowanceBytes = rules.reserveBytes === 0 ? Infinity : (aboveReserve - MARGIN_BYTES) / 2;
      return allowanceBytes >= 0;
    }
    if (aboveReserve <= 0) return false;
    let room = await measureRoom(coreDir, rules);
    // Dumps under way share the room; none may rely on what another is about to take.
    if (shareOf(room) < MARGIN_BYTES) room = await evictFor(room);
    allowanceBytes = (shareOf(room) - MARGIN_BYTES) / 2;
    return allowanceBytes >= 0;
  }

  async function evictFor(room: Room): Promise<Room> {
    const wantedBytes = 2 * MARGIN_BYTES * Math.max(1, room.underWay);
    for (let waitedMs = 0; waitedMs < WAIT_MAX_MS; waitedMs += WAIT_STEP_MS) {
      const made = await makeRoom(coreDir, rules, { wantedBytes, lockPath }, (evicted) =>
        tell(log, evicted),
      );
      if (made !== "busy") return made;
      await Bun.sleep(WAIT_STEP_MS);
    }
    return measureRoom(coreDir, rules);
  }

  return async () => {
    allowanceBytes -= CORE_BLOCK_BYTES;
    if (allowanceBytes > 0) return true;
    try {
      return await look();
    } catch (error) {
      // Limits that cannot be measured must not cost a core: the disk's own end still does its work.
      log.milestone("warn", "disk_limits_unknown", { error: String(error) });
      allowanceBytes = Infinity;
      return true;
    }
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
