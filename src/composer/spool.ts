// What a composer spools, and when: within a limit of bytes, only while the disk is faster than the compressor, and
// without filling the node's memory with pages that wait for the disk. An error of the disk ends the spooling and
// costs nothing of the core: the reader then waits for the compressor.
import { SPOOL_HEAD_BYTES, SPOOL_SLOT_BYTES, writeSpoolHead } from "../model/spool-layout.ts";
import { readDirtyRoom } from "../host/dirty-memory.ts";
import type { SpoolFile } from "../host/spool-file.ts";
import type { QueuedBlock } from "./queued-block.ts";

/** What a spool needs of its file. */
export type SpoolStore = Pick<SpoolFile, "write" | "read" | "free" | "sync" | "drop" | "remove">;

/** What a spool needs from its composer. */
export interface SpoolContext {
  /** Creates the file, at the first block. */
  create: () => Promise<SpoolStore>;
  /** Returns how many bytes the spool may take now. */
  limitBytes: () => number;
  /** Called after each STEP_BYTES that were spooled, to measure the limit again. */
  onStep: () => void;
  /** Called when the spool could take more again. */
  onReady: () => void;
  /** Called where the spool takes no more, for good or for a while. */
  onPause: (why: string) => void;
  procDir?: string;
}

const STEP_BYTES = 64 << 20;
/** The part of a spool over which the disk's speed is measured, in bytes, and the longest time for it, in ms. */
const MEASURE_BYTES = 16 << 20;
const MEASURE_MAX_MS = 150;
/** The disk's least speed as a part of the compressor's: spooling takes little of a processor, so both add up. */
const LEAST_SPEED = 1 / 2;
/** The first pause where the disk is slower than the compressor, in ms; each one is twice as long. */
const PAUSE_MS = 250;
const PAUSE_MAX_MS = 30_000;

/** The spool of one core. */
export class Spool {
  private readonly context: SpoolContext;
  private file: SpoolStore | undefined;
  private isRefused = false;
  private pausedUntilMs = 0;
  private pauseMs = PAUSE_MS;
  private measured = { bytes: 0, ms: 0 };
  private compressing = { bytes: 0, ms: 0 };
  private stepBytes = 0;
  /** What may be in memory and not on the disk. */
  private dirtyRoom = 0;
  private writtenSlots = 0;
  private syncedSlots = 0;
  private freedSlots = 0;
  private syncing: Promise<void> | undefined;
  /** What is under way in the file, which must not be closed meanwhile. */
  private readonly pending = new Set<Promise<unknown>>();

  constructor(context: SpoolContext) {
    this.context = context;
  }

  /** Returns whether the spool may grow beyond the slots that it holds. */
  canGrow(slots: number): boolean {
    if (this.isRefused || performance.now() < this.pausedUntilMs) return false;
    if (this.file !== undefined && this.unsyncedBytes > this.dirtyRoom) return false;
    return (slots + 1) * SPOOL_SLOT_BYTES <= this.context.limitBytes();
  }

  /** Notes how long one compressor took for a block, of `atOnce` that work side by side. */
  noteCompressed(sizeBytes: number, ms: number, atOnce: number): void {
    this.compressing.bytes += sizeBytes;
    this.compressing.ms += ms / atOnce;
  }

  /** Writes blocks to consecutive slots. Returns false where the disk refuses them; nothing counts as written then. */
  async write(slot: number, blocks: readonly QueuedBlock[]): Promise<boolean> {
    const startedMs = performance.now();
    let bytes = 0;
    try {
      this.file ??= await this.track(this.context.create());
      if (this.stepBytes === 0) this.dirtyRoom = readDirtyRoom(this.context.procDir ?? "/proc");
      let [next, parts, first] = [slot, [] as Uint8Array[], slot];
      for (const block of blocks) {
        parts.push(formatSlot(block));
        next++;
        bytes += SPOOL_SLOT_BYTES;
        if (parts.at(-1)?.length === SPOOL_SLOT_BYTES && next < slot + blocks.length) continue;
        await this.track(this.file.write(first, parts));
        [parts, first] = [[], next];
      }
    } catch (error) {
      this.isRefused = true;
      this.context.onPause(String(error));
      return false;
    }
    if (this.isRefused) return false; // removed meanwhile
    this.writtenSlots = slot + blocks.length;
    this.measure(bytes, performance.now() - startedMs);
    this.writeBehind();
    this.stepBytes += bytes;
    if (this.stepBytes >= STEP_BYTES) {
      this.stepBytes = 0;
      this.context.onStep();
    }
    return true;
  }

  /** Reads one slot. Throws the system's error. */
  async read(slot: number, into: Uint8Array): Promise<void> {
    into.fill(0, 0, SPOOL_HEAD_BYTES);
    if (this.file !== undefined) await this.track(this.file.read(slot, into));
  }

  /** Returns whether slots may be given back now. While a process is held, only where the room is needed. */
  mayFree(slots: number, isReleased: boolean): boolean {
    return isReleased || slots * SPOOL_SLOT_BYTES > this.context.limitBytes() / 2;
  }

  free(from: number, to: number): void {
    this.freedSlots = to;
    this.file?.free(from, to);
  }

  /** Removes the file, after what is under way in it. */
  async remove(): Promise<void> {
    this.isRefused = true;
    while (this.pending.size > 0) await Promise.allSettled(this.pending);
    await this.syncing;
    await this.file?.remove();
    this.file = undefined;
  }

  private async track<T>(step: Promise<T>): Promise<T> {
    this.pending.add(step);
    try {
      return await step;
    } finally {
      this.pending.delete(step);
    }
  }

  private get unsyncedBytes(): number {
    return (this.writtenSlots - Math.max(this.syncedSlots, this.freedSlots)) * SPOOL_SLOT_BYTES;
  }

  /** Pauses where the disk took longer than the compressor would have taken. */
  private measure(bytes: number, ms: number): void {
    this.measured.bytes += bytes;
    this.measured.ms += ms;
    const { measured, compressing } = this;
    if (measured.bytes < MEASURE_BYTES && measured.ms < MEASURE_MAX_MS) return;
    const speed = measured.bytes / measured.ms;
    const isSlower =
      compressing.bytes > 0 && speed < (LEAST_SPEED * compressing.bytes) / compressing.ms;
    this.measured = { bytes: 0, ms: 0 };
    if (!isSlower) {
      this.pauseMs = PAUSE_MS;
      return;
    }
    this.pausedUntilMs = performance.now() + this.pauseMs;
    setTimeout(this.context.onReady, this.pauseMs).unref();
    this.pauseMs = Math.min(2 * this.pauseMs, PAUSE_MAX_MS);
    this.context.onPause("the disk is slower than the compressor");
  }

  /** Has the disk take what was written, long before the kernel would have to make it, and drops it from memory. */
  private writeBehind(): void {
    if (this.syncing !== undefined || this.unsyncedBytes < this.dirtyRoom / 2) return;
    const [file, from, to] = [this.file, this.syncedSlots, this.writtenSlots];
    this.syncing = (file?.sync() ?? Promise.resolve())
      .then(
        () => {
          this.syncedSlots = to;
          // What is read next may stay.
          const kept = this.freedSlots + Math.floor(this.dirtyRoom / SPOOL_SLOT_BYTES);
          if (kept < to) file?.drop(Math.max(from, kept), to);
        },
        (error: unknown) => {
          this.isRefused = true;
          this.context.onPause(String(error));
        },
      )
      .finally(() => {
        this.syncing = undefined;
        this.context.onReady();
      });
  }
}

/** Returns a slot's bytes. A block in memory has room for its head; a run of zeros needs no more than a head. */
function formatSlot(block: QueuedBlock): Uint8Array {
  const { memory, sizeBytes } = block;
  const slot = memory ?? new Uint8Array(SPOOL_HEAD_BYTES);
  writeSpoolHead(slot, block);
  return memory === undefined ? slot : slot.subarray(0, SPOOL_HEAD_BYTES + sizeBytes);
}
