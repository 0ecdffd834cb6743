// Measures the room for a growing dump, and evicts older dumps where there is too little. Works on this thread where
// CORE_DIR is small. For a folder of thousands of dumps it starts a process, so that this costs neither the drain's
// time nor this process's memory.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { ComposerLog } from "../host/composer-log.ts";
import { makeRoom, measureRoom, type Room } from "../host/disk-room.ts";
import { EVICTION_LOCK } from "../model/host-file.ts";

const orderSchema = v.object({
  coreDir: v.string(),
  hostDir: v.string(),
  /** The dump's uuid, for the lines of composer.log. */
  uuid: v.string(),
  /** As DiskLimits (disk-room.ts) has them. */
  quota: v.string(),
  free: v.string(),
  /** The dump's namespace, as namespaceOwner has it. */
  asker: v.string(),
});
const roomSchema = v.object({
  roomBytes: v.number(),
  underWay: v.number(),
  spoolBytes: v.number(),
  quotaBytes: v.number(),
});

/** What a dump needs, as the other process gets it. */
export type RoomOrder = v.InferOutput<typeof orderSchema>;

/** The room for the blocks that are under way when a dump must stop and for the small entries after them, in bytes. */
export const MARGIN_BYTES = 2 << 20;
/** The largest number of names in CORE_DIR that this thread looks at, which takes some milliseconds. */
const NAMES_MAX = 1_000;
/** The wait between two attempts, in ms, while another process makes room. */
const BUSY_STEP_MS = 20;
/**
 * The most room to make at a time, in bytes; it is otherwise a twentieth of the quota, which is more than one block.
 */
const BATCH_MAX_BYTES = 256 << 20;
const BATCH_PART = 1 / 20;

/** Returns one dump's part of the room, in bytes: all dumps under way share it equally. */
export function dumpShareOf({ roomBytes, underWay }: Room): number {
  return roomBytes / Math.max(1, underWay);
}

/** Returns the room, after an eviction where it was too little. Ends early at the signal. */
export async function ensureRoom(order: RoomOrder, signal: AbortSignal): Promise<Room> {
  if (readdirSync(order.coreDir).length <= NAMES_MAX) return ensureHere(order, signal);
  const room = await ensureElsewhere(order, signal);
  if (room !== undefined) return room;
  // The dump has ended, so no caller needs the answer.
  if (signal.aborted) return { roomBytes: 0, underWay: 1, spoolBytes: 0, quotaBytes: 0 };
  // Does the work on this thread where the process failed, which takes longer.
  return ensureHere(order, signal);
}

/**
 * Runs `make-room ORDER`, which ensureElsewhere starts. Returns the room as JSON, for stdout. Throws for a bad order.
 */
export async function runRoomMaker([text = ""]: readonly string[]): Promise<string> {
  const order = v.parse(orderSchema, JSON.parse(text));
  return JSON.stringify(await ensureHere(order, new AbortController().signal));
}

async function ensureElsewhere(order: RoomOrder, signal: AbortSignal): Promise<Room | undefined> {
  try {
    const child = Bun.spawn([process.execPath, "make-room", JSON.stringify(order)], {
      // Under the composer's name the executable would run as a composer.
      argv0: "core-dump-handler",
      cwd: "/",
      env: {},
      // The process must not inherit stdin: the crashed process is held as long as any process has that open.
      stdio: ["ignore", "pipe", "ignore"],
      signal,
      killSignal: "SIGKILL",
    });
    return v.parse(roomSchema, JSON.parse(await new Response(child.stdout).text()));
  } catch {
    return undefined;
  }
}

async function ensureHere(order: RoomOrder, signal: AbortSignal): Promise<Room> {
  const { coreDir, hostDir, uuid, quota, free, asker } = order;
  const limits = { quota, free };
  const room = await measureRoom(coreDir, limits);
  if (dumpShareOf(room) >= MARGIN_BYTES) return room;
  const log = new ComposerLog(hostDir, uuid, "warn");
  const least = 2 * MARGIN_BYTES * Math.max(1, room.underWay);
  const wantedBytes = Math.max(least, Math.min(room.quotaBytes * BATCH_PART, BATCH_MAX_BYTES));
  const wish = { wantedBytes, lockPath: join(hostDir, EVICTION_LOCK), asker };
  while (!signal.aborted) {
    const made = await makeRoom(coreDir, limits, wish, (evicted) => {
      const { zip, sizeBytes, workload, namespace, ageSeconds } = evicted;
      const fields = { zip, bytes: sizeBytes, workload, namespace, age_s: ageSeconds };
      log.milestone("warn", "dump_evicted", fields);
    });
    if (made !== "busy") return made;
    await Bun.sleep(BUSY_STEP_MS);
  }
  return measureRoom(coreDir, limits);
}
