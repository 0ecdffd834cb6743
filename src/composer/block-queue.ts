// The queue between the reader of a core and its compressor. Keeps blocks in the core's order, a few of them in memory.
// What the compressor does not take in time goes into a spool, so that the reader, and with it the crashed process,
// does not wait. From the first spooled block on, every block that is not yet in the zip is in the spool: where the
// composer is killed, zip and spool together have all of the core up to there.
import { crc32 } from "node:zlib";
import { CORE_BLOCK_BYTES } from "../model/partial-layout.ts";
import { SPOOL_HEAD_BYTES, SPOOL_SLOT_BYTES, parseSpoolHead } from "../model/spool-layout.ts";
import type { SpooledBlock } from "../model/spool-layout.ts";
import { Change } from "./change.ts";
import type { QueuedBlock } from "./queued-block.ts";
import type { Spool } from "./spool.ts";
import { RUN_BLOCKS } from "./zero-runs.ts";

/** A block for the compressor. */
export interface TakenBlock {
  block: QueuedBlock;
  /** The block's bytes, unchanged until compressed(); empty for zeros. */
  bytes: Uint8Array;
}

/** How many blocks are in memory. */
const BLOCKS = 8;
/** How many runs of zeros wait, among other blocks; they take no memory of their own. */
const WAITING_MAX = 512;
/** How many blocks wait before they are spooled, and how many are spooled at a time. */
const SPILL_AT = 3;
const SPILL_MAX = 4;
/** How many slots are given back to the disk at a time. */
const FREE_SLOTS = 32;

const NOTHING = new Uint8Array(0);

/** Returns a block's bytes in the memory of a slot. */
export function bytesIn(memory: Uint8Array, sizeBytes: number): Uint8Array {
  return memory.subarray(SPOOL_HEAD_BYTES, SPOOL_HEAD_BYTES + sizeBytes);
}

/** The queue of one core. */
export class BlockQueue {
  private readonly spool: Spool | undefined;
  private readonly change = new Change();
  private readonly free: Uint8Array[];
  /** Blocks that the compressor has not taken, behind all that are in the spool. */
  private readonly waiting: QueuedBlock[] = [];
  /** Blocks that the compressor has taken and that are not in the zip's file. */
  private readonly taken: QueuedBlock[] = [];
  /** The spool's slots that the compressor has not taken: from head up to tail. */
  private head = 0;
  private tail = 0;
  private freed = 0;
  /** The core's CRC-32 up to the end of the last block that the compressor has taken. */
  private takenCrc = 0;
  private isSpilling = false;
  /** True from the first wish to spill: blocks stay in memory until they are in the zip or the spool. */
  private keepsBlocks = false;
  private hasEnded = false;
  private isDiscarded = false;

  constructor(spool: Spool | undefined) {
    this.spool = spool;
    this.free = Array.from({ length: BLOCKS }, () => new Uint8Array(SPOOL_SLOT_BYTES));
  }

  /** Returns memory for the next block; undefined once the queue is discarded or stop() says so. */
  async takeMemory(isStopped: () => boolean): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.isDiscarded || isStopped()) return undefined;
      const memory = this.waiting.length < WAITING_MAX ? this.free.shift() : undefined;
      if (memory !== undefined) return memory;
      await this.change.wait();
    }
  }

  /** Waits until another run of zeros may be put. */
  async hasPlace(): Promise<void> {
    while (this.waiting.length >= WAITING_MAX && !this.isDiscarded) await this.change.wait();
  }

  /** Gives memory back that no block was put in. The next block gets it first: it may still be in the cache. */
  giveBack(memory: Uint8Array): void {
    this.free.unshift(memory);
  }

  /** Adds the core's next block. */
  put(place: SpooledBlock, memory: Uint8Array | undefined): void {
    if (place.isZeros && this.joinZeros(place)) return;
    const block = {
      ...place,
      memory,
      slot: undefined,
      state: "waiting",
      isSpooling: false,
    } as const;
    this.waiting.push(block);
    this.spill();
    this.change.notify();
  }

  /** Nothing more is read. What waits is still taken. */
  end(): void {
    this.hasEnded = true;
    // Nobody needs memory for a further block.
    this.free.length = 0;
    this.spill();
    this.change.notify();
  }

  /** Drops everything that waits. */
  discard(): void {
    this.isDiscarded = true;
    this.change.notify();
  }

  /** Wakes those that wait, so that they look at what else changed. */
  wake(): void {
    this.change.notify();
  }

  /** True while the queue can take more than its memory holds. */
  get canSpill(): boolean {
    return this.spool?.canGrow(this.tail - this.freed) === true;
  }

  /** True while the reading hardly depends on the compressor. */
  get outruns(): boolean {
    return this.spool?.isQuick === true && this.canSpill;
  }

  /** True while blocks should reach the zip at once, because the spool can only begin behind what is in the zip. */
  get wantsFlush(): boolean {
    return this.keepsBlocks && this.head === this.tail;
  }

  /**
   * Takes the oldest block, or waits for one; undefined at the end. A block from the spool is read into what
   * `into` returns, a slot's room. Throws where the spool cannot be read.
   */
  async take(into: () => Uint8Array): Promise<TakenBlock | undefined> {
    for (;;) {
      if (this.isDiscarded) return undefined;
      if (this.head < this.tail) return this.takeSpooled(into());
      const block = this.waiting.shift();
      if (block !== undefined) {
        const { memory, sizeBytes } = block;
        return this.noteTaken(block, memory === undefined ? NOTHING : bytesIn(memory, sizeBytes));
      }
      if (this.hasEnded) return undefined;
      await this.change.wait();
    }
  }

  /** The block's bytes are not needed any more for the zip. */
  compressed(block: QueuedBlock): void {
    block.state = "compressed";
    this.release(block);
  }

  /** The zip's file holds this much of the core. */
  flushed(sizeBytes: number): void {
    while ((this.taken[0]?.offset ?? sizeBytes) < sizeBytes) {
      const block = this.taken.shift();
      if (block === undefined) break;
      block.state = "written";
      this.release(block);
    }
    this.freeSlots(FREE_SLOTS);
    this.restWhileDry();
    this.spill();
    this.change.notify();
  }

  /** Gives all of the spool's room back that holds what the compressor has taken, in the zip or not. */
  freeTaken(): boolean {
    if (this.spool === undefined || this.head <= this.freed) return false;
    this.spool.free(this.freed, this.head);
    this.freed = this.head;
    return true;
  }

  private freeSlots(least: number): void {
    const to = this.taken.find(({ slot }) => slot !== undefined)?.slot ?? this.head;
    const { spool, tail, hasEnded } = this;
    if (to - this.freed < least || spool?.mayFree(tail - this.freed, hasEnded) !== true) return;
    spool.free(this.freed, to);
    this.freed = to;
  }

  /** Where nothing is spooled, and nothing will be soon, blocks need not wait for the zip. */
  private restWhileDry(): void {
    if (!this.keepsBlocks || this.isSpilling || this.head < this.tail || this.canSpill) return;
    this.keepsBlocks = false;
    for (const block of this.taken) this.release(block);
  }

  private async takeSpooled(into: Uint8Array): Promise<TakenBlock> {
    const slot = this.head;
    await this.spool?.read(slot, into);
    const place = parseSpoolHead(into);
    const bytes = place?.isZeros === false ? bytesIn(into, place.sizeBytes) : NOTHING;
    const isWhole = place?.isZeros === true || crc32(bytes, this.takenCrc) === place?.crc;
    if (place === undefined || !isWhole)
      throw new Error(`the spool's slot ${slot} is not what was written`);
    this.head++;
    const state = "compressing";
    return this.noteTaken({ ...place, memory: undefined, slot, state, isSpooling: false }, bytes);
  }

  private noteTaken(block: QueuedBlock, bytes: Uint8Array): TakenBlock {
    block.state = "compressing";
    this.takenCrc = block.crc;
    this.taken.push(block);
    return { block, bytes };
  }

  private joinZeros(place: SpooledBlock): boolean {
    const last = this.waiting.at(-1);
    if (last?.isZeros !== true || last.isSpooling) return false;
    if (last.sizeBytes + place.sizeBytes > RUN_BLOCKS * CORE_BLOCK_BYTES) return false;
    last.sizeBytes += place.sizeBytes;
    last.crc = place.crc;
    return true;
  }

  private release(block: QueuedBlock): void {
    const { memory, state } = block;
    if (memory === undefined || block.isSpooling || state === "compressing") return;
    const isSafe = block.slot !== undefined || state === "written";
    if (!isSafe && (state === "waiting" || this.keepsBlocks)) return;
    if (!this.hasEnded) this.free.push(memory);
    block.memory = undefined;
    this.change.notify();
  }

  /** Spools until little waits; one such loop runs at a time. */
  private spill(): void {
    if (this.isSpilling || this.spool === undefined || !this.hasTooMuch()) return;
    this.isSpilling = true;
    void this.spillAll(this.spool).finally(() => {
      this.isSpilling = false;
      this.change.notify();
    });
  }

  private hasTooMuch(): boolean {
    if (this.isDiscarded || !this.canSpill) return false;
    // When all was read, the rest follows what is in the spool already, so that nothing can be lost any more.
    if (this.hasEnded) return this.head < this.tail && this.waiting.length > 0;
    return this.waiting.filter(({ isZeros }) => !isZeros).length >= SPILL_AT;
  }

  private async spillAll(spool: Spool): Promise<void> {
    while (this.hasTooMuch()) {
      this.keepsBlocks = true;
      const unsafe = this.taken.filter(({ slot }) => slot === undefined);
      if (unsafe.some(({ memory, isZeros }) => memory === undefined && !isZeros)) {
        await this.change.wait(); // a block has left the memory, and is in the zip soon
        continue;
      }
      const batch = [...unsafe, ...this.waiting].slice(0, SPILL_MAX);
      for (const block of batch) block.isSpooling = true;
      const isWritten = await spool.write(this.tail, batch);
      for (const block of batch) block.isSpooling = false;
      if (isWritten) this.noteSpooled(batch);
      else this.keepsBlocks = false;
      for (const block of [...batch, ...this.taken]) this.release(block);
      this.change.notify();
    }
  }

  private noteSpooled(batch: readonly QueuedBlock[]): void {
    const left = batch.filter(({ state }) => state === "waiting").length;
    for (const block of batch) block.slot = this.tail++;
    this.head += batch.length - left;
    this.waiting.splice(0, left);
  }
}
