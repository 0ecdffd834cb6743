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
/**
 * Over so many writes the disk is judged, and so many of them must be slow: one that waited for a journal, or for a
 * processor, says nothing.
 */
const JUDGED_WRITES = 5;
const SLOW_WRITES = 4;
/** Of so many compressed bytes the older ones count half: the node may have become busy, or idle. */
const RECENT_BYTES = 32 << 20;
/**
 * The disk's least speed as a part of the compressor's: spooling takes little of a processor, so both add up, and the zip
 * takes little of the disk.
 */
const LEAST_SPEED = 1 / 3;
/** The first pause where the disk is slower than that, in ms; the next ones are longer by this factor. */
const PAUSE_MS = 500;
const PAUSE_FACTOR = 3;
const PAUSE_MAX_MS = 30_000;

/** The spool of one core. */
export class Spool {
  private readonly context: SpoolContext;
  private file: SpoolStore | undefined;
  private isRefused = false;
  /** True once the disk was measured and is not too slow, so that reading may rely on it. */
  isQuick = false;
  private pausedUntilMs = 0;
  private pauseMs = PAUSE_MS;
  /** Of the last writes, whether each was slow. */
  private wereSlow: boolean[] = [];
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
    if (this.compressing.bytes < RECENT_BYTES) return;
    this.compressing.bytes /= 2;
    this.compressing.ms /= 2;
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
    this.judge(bytes, performance.now() - startedMs);
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

  /** Pauses where the disk is slower than the compressor. */
  private judge(bytes: number, ms: number): void {
    const { compressing } = this;
    if (compressing.bytes === 0) return;
    const leastSpeed = (LEAST_SPEED * compressing.bytes) / compressing.ms;
    this.wereSlow.push(bytes / ms < leastSpeed);
    if (this.wereSlow.length < JUDGED_WRITES) return;
    const slow = this.wereSlow.filter(Boolean).length;
    this.wereSlow = [];
    this.isQuick = slow < SLOW_WRITES;
    if (this.isQuick) {
      this.pauseMs = Math.max(PAUSE_MS, this.pauseMs / PAUSE_FACTOR);
      return;
    }
    this.pausedUntilMs = performance.now() + this.pauseMs;
    setTimeout(this.context.onReady, this.pauseMs).unref();
    this.pauseMs = Math.min(PAUSE_FACTOR * this.pauseMs, PAUSE_MAX_MS);
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
