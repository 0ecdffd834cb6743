// Room for a dump that grows: measured, and made where there is too little. On this thread where CORE_DIR is small; for
// a folder of thousands of dumps in a process of its own, so that neither the drain nor this process's memory has to
// do with it.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { ComposerLog } from "../host/composer-log.ts";
import { makeRoom, measureRoom, type Room } from "../host/disk-room.ts";
import { EVICTION_LOCK } from "../model/host-file.ts";

const orderSchema = v.object({
  coreDir: v.string(),
  hostDir: v.string(),
  /** The dump's, for the lines of composer.log. */
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
  quotaBytes: v.number(),
});

export type RoomOrder = v.InferOutput<typeof orderSchema>;

/** Blocks under way when a dump is told to stop, and the small entries after them: they are still written. */
export const MARGIN_BYTES = 2 << 20;
/** Names in CORE_DIR that are looked at here: some milliseconds. */
const NAMES_MAX = 1_000;
/** While another process makes room. */
const BUSY_STEP_MS = 20;
/** Room is made for more than one block at a time: a twentieth of the quota, this much at most. */
const BATCH_MAX_BYTES = 256 << 20;
const BATCH_PART = 1 / 20;

/** The room of one of the dumps under way. They share it; none may rely on what another is about to take. */
export function shareOf({ roomBytes, underWay }: Room): number {
  return roomBytes / Math.max(1, underWay);
}

/** The room there is, after older dumps gave way where it was too little. Ends early at the signal. */
export async function ensureRoom(order: RoomOrder, signal: AbortSignal): Promise<Room> {
  if (readdirSync(order.coreDir).length <= NAMES_MAX) return ensureHere(order, signal);
  const room = await ensureElsewhere(order, signal);
  if (room !== undefined) return room;
  // The dump has ended, and nobody asks any more.
  if (signal.aborted) return { roomBytes: 0, underWay: 1, quotaBytes: 0 };
  // Without a process of its own it takes longer, and is done all the same.
  return ensureHere(order, signal);
}

/** `make-room ORDER`, as ensureElsewhere starts it: the room, as JSON on stdout. */
export async function runRoomMaker([text = ""]: readonly string[]): Promise<string> {
  const order = v.parse(orderSchema, JSON.parse(text));
  return JSON.stringify(await ensureHere(order, new AbortController().signal));
}

async function ensureElsewhere(order: RoomOrder, signal: AbortSignal): Promise<Room | undefined> {
  try {
    const child = Bun.spawn([process.execPath, "make-room", JSON.stringify(order)], {
      // The composer is known by its name; this is another role of the same executable.
      argv0: "core-dump-handler",
      cwd: "/",
      env: {},
      // Not our stdin: as long as anybody has that open, the crashed process is held.
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
  if (shareOf(room) >= MARGIN_BYTES) return room;
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
