// Whether a dump under way may grow: CORE_DIR's quota, the filesystem's floor, and the reserve below which
// nothing goes. Older dumps give way first. Measured rarely while there is plenty, often when it gets tight. The
// crashed process waits little for it: what takes longer goes on beside the drain, which then stops at the reserve.
import type { DiskLimits } from "../host/disk-room.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import { bytesAboveReserve } from "./disk-space.ts";
import { ensureRoom, MARGIN_BYTES, shareOf } from "./room.ts";

export interface DiskRules extends DiskLimits {
  reserveBytes: number;
}

export interface DiskLimitsContext {
  coreDir: string;
  hostDir: string;
  uuid: string;
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

/** A dump waits this long at most, in all, for room to be measured and made. */
const WAIT_MAX_MS = 1_000;

export function openDiskLimits(context: DiskLimitsContext): OpenDiskLimits {
  const { coreDir, hostDir, uuid, rules, log, asker } = context;
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
    const { quota, free } = rules;
    const order = { coreDir, hostDir, uuid, quota, free, asker: asker() };
    return (shareOf(await ensureRoom(order, ended.signal)) - MARGIN_BYTES) / 2;
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
