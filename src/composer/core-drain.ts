// Moves a core's bytes: from the input into a queue, and from there through the compressor into the archive. Reads as
// fast as the queue takes. The reading ends at the input's end or at the first reason to stop; what was read is written
// nevertheless, unless the dump is left out or the disk is full.
import { crc32 } from "node:zlib";
import { ElfCoreReader } from "../model/core-extent.ts";
import type { CoreCompression } from "../model/core-compression.ts";
import { crc32WithZeros } from "../model/crc32-zeros.ts";
import { CORE_BLOCK_BYTES as BLOCK_BYTES } from "../model/partial-layout.ts";
import { BlockCompressor } from "./block-compressor.ts";
import { BlockQueue, bytesIn } from "./block-queue.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { CoreBytes } from "./core-input.ts";
import { isNoSpace } from "./partial-file.ts";
import type { QueuedBlock } from "./queued-block.ts";
import type { Spool } from "./spool.ts";
import { RUN_BLOCKS } from "./zero-runs.ts";
import type { Checkpoint, ZipArchive } from "./zip-archive.ts";

/** Why the drain ended: the input's end, or what cut it short. */
export type DrainEnd = "end" | "timeout" | "size_limit" | "no_space" | "skipped" | "known_bug";

/** After these nothing that waits is written any more: it is not wanted, or finds no room. */
const NOTHING_KEPT: ReadonlySet<DrainEnd> = new Set(["skipped", "known_bug", "no_space"]);
/** How many bytes are read before other work on this thread gets its turn. */
const TURN_BYTES = 2 << 20;

/** What the drain does with the core, and whom it notifies. */
export interface DrainOptions {
  compression: CoreCompression;
  /** How many bytes of the core are kept; 0 is no limit. */
  maxCoreBytes: number;
  /** Where blocks go that the compressor does not take in time; undefined where the reading waits for it. */
  spool?: Spool | undefined;
  /** Called before sizeBytes of the core are read; returns false when the drain must end for lack of space. */
  hasSpace: (sizeBytes: number) => Promise<boolean>;
  /** Sees the core's bytes as they come, except for holes of a file. It must not wait. */
  onBytes?: (bytes: Uint8Array) => void;
  /** Called once, when the drain has read the first bytes. */
  onFirstBytes: () => void;
  /** Called when the drain reads no more, while it still compresses and writes. The drain awaits it. */
  onLastBytes: () => Promise<void>;
  /** Called where the input fails before its end; the bytes until then are kept. */
  onReadError: (error: unknown) => void;
}

/** The drain of one core. */
export class CoreDrain {
  readonly elf = new ElfCoreReader();
  private readonly input: CoreBytes;
  private readonly archive: ZipArchive;
  private readonly options: DrainOptions;
  private readonly queue: BlockQueue;
  private readonly compressor: BlockCompressor;
  private readonly zeros = new Uint8Array(BLOCK_BYTES);
  private readonly checkpoints: Checkpoints;
  private sizeBytes = 0;
  private crc = 0;
  private turnBytes = 0;
  private hasRead = false;
  private isHeld = true;
  private stopReason: DrainEnd | undefined;
  private wakeReader: () => void = () => undefined;

  constructor(input: CoreBytes, archive: ZipArchive, options: DrainOptions) {
    this.input = input;
    this.archive = archive;
    this.options = options;
    const { compression, spool } = options;
    this.queue = new BlockQueue(compression === "none" ? undefined : spool);
    this.compressor = new BlockCompressor({
      queue: this.queue,
      archive,
      compression,
      isHeld: () => this.isHeld,
      onCompressed: (sizeBytes, ms, atOnce) => spool?.noteCompressed(sizeBytes, ms, atOnce),
      onFlushed: (block) => this.noteFlushed(block),
    });
    this.checkpoints = new Checkpoints({ fileBytes: archive.endBytes, crc: 0, sizeBytes: 0 });
  }

  /** Ends the reading for a reason from outside (the deadline, a rule), even while the input is silent. */
  stop(reason: DrainEnd): void {
    // After the last byte nobody waits any more, and what was read is still worth being written.
    if (reason === "timeout" && this.hasRead) return;
    this.stopReason ??= reason;
    this.wakeReader();
    if (NOTHING_KEPT.has(reason)) this.queue.discard();
    this.wake();
  }

  /** Looks again at what may be spooled. */
  wake(): void {
    this.queue.wake();
    this.compressor.wake();
  }

  /** On a full disk: gives it back what the spool holds of blocks that the compressor has. Returns false for nothing. */
  makeRoom(): boolean {
    return this.queue.freeTaken();
  }

  /**
   * Drains until the end and returns why it ended. The archive's open entry then holds the core at least up to the last
   * checkpoint. Throws any error but a full disk.
   */
  async run(): Promise<DrainEnd> {
    const reading = this.readBlocks().finally(async () => {
      this.hasRead = true;
      this.queue.end();
      await this.options.onLastBytes();
      this.isHeld = false;
      this.wake();
    });
    const writing = this.compressor.run().catch((error: unknown) => {
      this.stop("no_space");
      if (!isNoSpace(error)) throw error;
    });
    try {
      await Promise.all([reading, writing]);
    } finally {
      this.queue.discard();
    }
    return this.stopReason ?? "end";
  }

  /** How much of the core is certainly in the archive, and its CRC-32. */
  get written(): Checkpoint {
    return this.checkpoints.newest;
  }

  /** How much of the core was read, in bytes. */
  get readBytes(): number {
    return this.sizeBytes;
  }

  /**
   * Returns the newest checkpoint at least freeBytes below the file's end, to cut the core back to; undefined where
   * none is left.
   */
  takeCheckpoint(freeBytes: number): Checkpoint | undefined {
    return this.checkpoints.cutTo(this.archive.endBytes - freeBytes);
  }

  /** Returns the core's beginning, to cut the whole core off. */
  takeStart(): Checkpoint {
    return this.checkpoints.cutToStart();
  }

  private async readBlocks(): Promise<void> {
    while (this.stopReason === undefined) {
      if (!(await this.options.hasSpace(BLOCK_BYTES))) return this.stopReading("no_space");
      if (await this.passHole()) continue;
      const memory = await this.queue.takeMemory(() => this.stopReason !== undefined);
      if (memory === undefined) return;
      const wanted = this.wantedBytes();
      const block = bytesIn(memory, await this.readInto(bytesIn(memory, wanted)));
      this.pass(memory, block);
      if (block.length < BLOCK_BYTES) return this.endOfBlocks(block.length === wanted);
      await this.giveTurn(block.length);
    }
  }

  /** Ends the reading, while what was read still goes into the archive. */
  private stopReading(reason: DrainEnd): void {
    this.stopReason ??= reason;
  }

  /** Passes a run of whole blocks that are a hole of the input's file; returns false where there is none. */
  private async passHole(): Promise<boolean> {
    const { compression, maxCoreBytes } = this.options;
    // The ELF reader needs the headers' bytes, zeros too. Without compression zeros are written like other bytes.
    if (compression === "none" || !this.elf.isSettled) return false;
    const leftBytes = maxCoreBytes === 0 ? Infinity : maxCoreBytes - this.sizeBytes;
    const blocks = Math.min(RUN_BLOCKS, Math.floor(leftBytes / BLOCK_BYTES));
    const bytes = this.input.skipHole(BLOCK_BYTES, blocks);
    if (bytes === 0) return false;
    this.putZeros(bytes);
    await this.giveTurn(TURN_BYTES);
    await this.queue.hasPlace();
    return true;
  }

  private wantedBytes(): number {
    const { maxCoreBytes } = this.options;
    return maxCoreBytes === 0 ? BLOCK_BYTES : Math.min(BLOCK_BYTES, maxCoreBytes - this.sizeBytes);
  }

  /** Ends the reading after a block that is not full: the input has ended, or the core is at its limit. */
  private async endOfBlocks(limitReached: boolean): Promise<void> {
    if (limitReached && (await this.readInto(new Uint8Array(1))) > 0)
      this.stopReading("size_limit");
  }

  /** Fills the block until it is full, the input ends or the drain is stopped. Returns the number of bytes. */
  private async readInto(block: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < block.length && this.stopReason === undefined) {
      const count = await this.readOrStop(block, filled);
      if (count === 0) break;
      if (this.sizeBytes === 0 && filled === 0) this.options.onFirstBytes();
      this.options.onBytes?.(block.subarray(filled, filled + count));
      filled += count;
    }
    return filled;
  }

  private readOrStop(block: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve) => {
      this.wakeReader = () => resolve(0);
      this.input.readSome(block, offset).then(resolve, (error: unknown) => {
        this.options.onReadError(error);
        resolve(0);
      });
    });
  }

  /** Lets other work on this thread have its turn, now and then: bytes that wait already are read without a pause. */
  private async giveTurn(sizeBytes: number): Promise<void> {
    this.turnBytes += sizeBytes;
    if (this.turnBytes < TURN_BYTES) return;
    this.turnBytes = 0;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  private pass(memory: Uint8Array, block: Uint8Array): void {
    if (block.length === 0) return this.queue.giveBack(memory);
    this.elf.push(block);
    if (this.options.compression !== "none" && this.isZeros(block)) {
      this.putZeros(block.length);
      return this.queue.giveBack(memory);
    }
    const offset = this.sizeBytes;
    this.sizeBytes += block.length;
    this.crc = crc32(block, this.crc);
    const place = { offset, sizeBytes: block.length, crc: this.crc, isZeros: false };
    return this.queue.put(place, memory);
  }

  private putZeros(sizeBytes: number): void {
    const offset = this.sizeBytes;
    this.sizeBytes += sizeBytes;
    this.crc = crc32WithZeros(this.crc, sizeBytes);
    this.queue.put({ offset, sizeBytes, crc: this.crc, isZeros: true }, undefined);
  }

  private isZeros(block: Uint8Array): boolean {
    return block.length === BLOCK_BYTES && Buffer.compare(block, this.zeros) === 0;
  }

  /** Adds a checkpoint: everything up to the block's end is in the file. */
  private noteFlushed({ offset, sizeBytes, crc }: QueuedBlock): void {
    this.queue.flushed(offset + sizeBytes);
    const fileBytes = this.archive.endBytes;
    this.checkpoints.remember({ fileBytes, crc, sizeBytes: offset + sizeBytes });
  }
}
