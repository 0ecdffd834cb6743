// Decides whether a dump under way may grow: within CORE_DIR's quota, the filesystem's floor, and the reserve that
// always stays free. Evicts older dumps first. Measures rarely while there is plenty of room, and often when there is
// little. The crashed process waits only a short time: longer work continues beside the drain, which then stops only
// at the reserve.
import { measureRoom, type DiskLimits, type Room } from "../host/disk-room.ts";
import { dropModules } from "../host/kept-modules.ts";
import type { ComposerLog } from "../host/composer-log.ts";
import { bytesAboveReserve } from "./disk-space.ts";
import { ensureRoom, MARGIN_BYTES, dumpShareOf } from "./room.ts";

/** The owner's limits and the reserve. */
export interface DiskRules extends DiskLimits {
  reserveBytes: number;
}

/** What the limits need to know about the dump. */
export interface DiskLimitsContext {
  coreDir: string;
  hostDir: string;
  uuid: string;
  rules: DiskRules;
  log: ComposerLog;
  /** Returns the dump's namespace, as namespaceOwner has it, as far as it is known at the moment. */
  asker: () => string;
}

/** The limits of one dump. */
export interface OpenDiskLimits {
  /** Called before `sizeBytes` of the core are read; returns false when the dump must end here. Never throws. */
  hasSpace(sizeBytes: number): Promise<boolean>;
  /** The last measurement; undefined before the first. */
  readonly room: Room | undefined;
  /** Measures again, beside other work and at most once a second. Never throws. */
  measureAgain(): void;
  /** Called at the core's end: the dump needs no more room. */
  end(): void;
}

/** How long a dump waits in all, in ms, for room to be measured and made. */
const WAIT_MAX_MS = 1_000;
/** The least time between two measurements that nobody waits for, in ms. */
const AGAIN_MS = 1_000;

/** How little room above the reserve makes modules give way, in bytes: more than a look allows to be written. */
const MODULES_GIVE_WAY_BYTES = 16 << 20;

/** Opens the limits of one dump. */
export function openDiskLimits(context: DiskLimitsContext): OpenDiskLimits {
  const { coreDir, hostDir, uuid, rules, log, asker } = context;
  /** How many more bytes of the core may come before the next measurement; below 0, none. */
  let allowanceBytes = 0;
  let looking: Promise<void> | undefined;
  let waitedMs = 0;
  let room: Room | undefined;
  let lookedMs = -Infinity;
  const ended = new AbortController();

  async function look(): Promise<number> {
    let aboveReserve = await bytesAboveReserve(coreDir, rules.reserveBytes);
    // A module gives way to a core, also where no floor would make room.
    if (aboveReserve < MODULES_GIVE_WAY_BYTES && dropModules(coreDir, Infinity).length > 0)
      aboveReserve = await bytesAboveReserve(coreDir, rules.reserveBytes);
    if (rules.quota === "100%" && rules.free === "0") {
      // There is neither quota nor floor. Without a reserve the dump may fill the disk to its last byte.
      room = await measureRoom(coreDir, rules);
      return rules.reserveBytes === 0 ? Infinity : (aboveReserve - MARGIN_BYTES) / 2;
    }
    if (aboveReserve <= 0) return -1;
    const { quota, free } = rules;
    const order = { coreDir, hostDir, uuid, quota, free, asker: asker() };
    room = await ensureRoom(order, ended.signal);
    return (dumpShareOf(room) - MARGIN_BYTES) / 2;
  }

  async function lookSafely(): Promise<void> {
    lookedMs = performance.now();
    try {
      allowanceBytes = await look();
    } catch (error) {
      // Where the limits cannot be measured, the drain continues until the disk is full.
      log.milestone("warn", "disk_limits_unknown", { error: String(error) });
      allowanceBytes = Infinity;
    }
  }

  /** Returns false where the measurement takes longer than this dump may wait. */
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
    get room() {
      return room;
    },
    measureAgain: () => {
      if (ended.signal.aborted || performance.now() - lookedMs < AGAIN_MS) return;
      looking ??= lookSafely().finally(() => (looking = undefined));
    },
    end: () => ended.abort(),
  };
}
