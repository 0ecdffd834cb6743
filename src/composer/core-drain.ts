// Moves a core's bytes: from the input into blocks, through several deflaters at once, in order into the archive. One
// loop reads and one writes. The drain ends at the input's end or at the first reason to stop.
import { crc32 } from "node:zlib";
import { ElfCoreReader } from "../model/core-extent.ts";
import { crc32WithZeros } from "../model/crc32-zeros.ts";
import { CORE_BLOCK_BYTES as BLOCK_BYTES } from "../model/partial-layout.ts";
import { BlockDeflater, freeOutput } from "./block-deflater.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { CoreBytes } from "./core-input.ts";
import { Mailbox } from "./mailbox.ts";
import { isNoSpace } from "./partial-file.ts";
import { RUN_BLOCKS, ZeroRuns } from "./zero-runs.ts";
import type { Checkpoint, ZipArchive } from "./zip-archive.ts";

/** Why the drain ended: the input's end, or what cut it short. */
export type DrainEnd = "end" | "timeout" | "size_limit" | "no_space" | "skipped" | "known_bug";

/** How many blocks are deflated at once; each has its own compressor. */
const LANES = 4;
const WRITE_BYTES = 256 * 1024;
/** How many blocks pass between two garbage collections, which keeps the peak of memory flat. */
const BLOCKS_PER_COLLECTION = 256;
/** How many blocks of zeros may wait to be written. They need no lane, so only this bounds them. */
const ZEROS_MAX = 256;
/** How many runs of a file's hole may wait to be written. */
const RUNS_MAX = 8;
const RUN_PAUSE_MS = 1;

/** What the drain does with the core, and whom it notifies. */
export interface DrainOptions {
  compress: boolean;
  /** How many bytes of the core are kept; 0 is no limit. */
  maxCoreBytes: number;
  /** Called before sizeBytes of the core are read; returns false when the drain must end for lack of space. */
  hasSpace: (sizeBytes: number) => Promise<boolean>;
  /** Sees the core's bytes as they come, except for holes of a file. It must not wait. */
  onBytes?: (bytes: Uint8Array) => void;
  /** Called once, when the drain has read the first bytes. */
  onFirstBytes: () => void;
  /** Called when the drain reads no more, while it still writes the last blocks. The drain awaits it. */
  onLastBytes: () => Promise<void>;
  /** Called where the input fails before its end; the bytes until then are kept. */
  onReadError: (error: unknown) => void;
}

interface Lane {
  block: Uint8Array;
  deflater: BlockDeflater | undefined;
}

/** A block under way, with the core's length and CRC-32 up to its end. */
interface Passing {
  /** undefined for zeros, whose output is ready, so that their block is in use again. */
  lane: Lane | undefined;
  sizeBytes: number;
  crc: number;
  output: Promise<readonly Uint8Array[]>;
}

/** The drain of one core. */
export class CoreDrain {
  readonly elf = new ElfCoreReader();
  private readonly input: CoreBytes;
  private readonly archive: ZipArchive;
  private readonly options: DrainOptions;
  private readonly idle = new Mailbox<Lane>();
  private readonly passing = new Mailbox<Passing>();
  private readonly zeros = new Uint8Array(BLOCK_BYTES);
  private readonly runs = new ZeroRuns();
  private readonly deflatedZeros: Promise<readonly Uint8Array[]>;
  private readonly checkpoints: Checkpoints;
  private sizeBytes = 0;
  private crc = 0;
  private blocks = 0;
  private stopReason: DrainEnd | undefined;
  private wakeReader: () => void = () => undefined;

  constructor(input: CoreBytes, archive: ZipArchive, options: DrainOptions) {
    this.input = input;
    this.archive = archive;
    this.options = options;
    this.deflatedZeros = Promise.resolve([this.runs.block]);
    for (let lane = 0; lane < LANES; lane++)
      this.idle.put({
        block: new Uint8Array(BLOCK_BYTES),
        deflater: options.compress ? new BlockDeflater() : undefined,
      });
    this.checkpoints = new Checkpoints({ fileBytes: archive.endBytes, crc: 0, sizeBytes: 0 });
  }

  /** Ends the drain for a reason from outside (the deadline, a rule), even while the input is silent. */
  stop(reason: DrainEnd): void {
    this.stopReason ??= reason;
    this.wakeReader();
    this.idle.close();
  }

  /**
   * Drains until the end and returns why it ended. The archive's open entry then holds the core at least up to the last
   * checkpoint. Throws any error but a full disk.
   */
  async run(): Promise<DrainEnd> {
    const reading = this.readBlocks().finally(() => {
      this.passing.close();
      return this.options.onLastBytes();
    });
    const writing = this.writeBlocks().catch((error: unknown) => {
      this.stop("no_space");
      if (!isNoSpace(error)) throw error;
    });
    await Promise.all([reading, writing]);
    return this.stopReason ?? "end";
  }

  /** How much of the core is certainly in the archive, and its CRC-32. */
  get written(): Checkpoint {
    return this.checkpoints.newest;
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
      if (!(await this.options.hasSpace(BLOCK_BYTES))) return this.stop("no_space");
      if (await this.passHole()) continue;
      const lane = await this.idle.take();
      if (lane === undefined) return;
      const wanted = this.wantedBytes();
      const block = lane.block.subarray(0, await this.readInto(lane.block.subarray(0, wanted)));
      if (block.length > 0) this.pass(lane, block);
      if (block.length < BLOCK_BYTES) return this.endOfBlocks(block.length === wanted);
    }
  }

  /** Passes a run of whole blocks that are a hole of the input's file; returns false where there is none. */
  private async passHole(): Promise<boolean> {
    const { compress, maxCoreBytes } = this.options;
    // The ELF reader needs the headers' bytes, zeros too. Without compression zeros are written like other bytes.
    if (!compress || !this.elf.isSettled) return false;
    const leftBytes = maxCoreBytes === 0 ? Infinity : maxCoreBytes - this.sizeBytes;
    const blocks = Math.min(RUN_BLOCKS, Math.floor(leftBytes / BLOCK_BYTES));
    const bytes = this.input.skipHole(BLOCK_BYTES, blocks);
    if (bytes === 0) return false;
    this.sizeBytes += bytes;
    this.crc = crc32WithZeros(this.crc, bytes);
    const output = Promise.resolve([this.runs.of(bytes / BLOCK_BYTES)]);
    this.passing.put({ sizeBytes: this.sizeBytes, crc: this.crc, lane: undefined, output });
    while (this.passing.size >= RUNS_MAX && this.stopReason === undefined)
      await Bun.sleep(RUN_PAUSE_MS);
    return true;
  }

  private wantedBytes(): number {
    const { maxCoreBytes } = this.options;
    return maxCoreBytes === 0 ? BLOCK_BYTES : Math.min(BLOCK_BYTES, maxCoreBytes - this.sizeBytes);
  }

  /** Ends the reading after a block that is not full: the input has ended, or the core is at its limit. */
  private async endOfBlocks(limitReached: boolean): Promise<void> {
    if (limitReached && (await this.readInto(new Uint8Array(1))) > 0) this.stop("size_limit");
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

  private pass(lane: Lane, block: Uint8Array): void {
    this.elf.push(block);
    this.sizeBytes += block.length;
    this.crc = crc32(block, this.crc);
    const passed = { sizeBytes: this.sizeBytes, crc: this.crc };
    if (lane.deflater !== undefined && this.isZeros(block) && this.passing.size < ZEROS_MAX) {
      this.passing.put({ ...passed, lane: undefined, output: this.deflatedZeros });
      // Uses the same block next, because it is still in the processor's cache.
      this.idle.putFirst(lane);
    } else {
      this.passing.put({ ...passed, lane, output: this.outputOf(lane, block) });
    }
    this.blocks++;
    if (this.blocks % BLOCKS_PER_COLLECTION === 0) Bun.gc(true);
  }

  private isZeros(block: Uint8Array): boolean {
    return block.length === BLOCK_BYTES && Buffer.compare(block, this.zeros) === 0;
  }

  private outputOf({ deflater }: Lane, block: Uint8Array): Promise<readonly Uint8Array[]> {
    return deflater === undefined ? Promise.resolve([block]) : deflater.run(block);
  }

  private async writeBlocks(): Promise<void> {
    const deflated: Uint8Array[] = [];
    for (;;) {
      const passing = await this.passing.take();
      if (passing === undefined) break;
      const { lane, output } = passing;
      const parts = await output;
      for (const part of parts) this.archive.push(part);
      const stored = lane !== undefined && lane.deflater === undefined;
      if (lane !== undefined && !stored) {
        deflated.push(...parts);
        // The block is free; only its output still waits for the disk.
        this.idle.put(lane);
      }
      if (stored || this.archive.queuedBytes >= WRITE_BYTES) {
        await this.archive.flush();
        freeOutput(deflated.splice(0));
        this.remember(passing.crc, passing.sizeBytes);
      }
      if (stored) this.idle.put(lane);
    }
    await this.archive.flush();
    this.remember(this.crc, this.sizeBytes);
  }

  /** Adds a checkpoint: everything that was passed so far is in the file. */
  private remember(crc: number, sizeBytes: number): void {
    this.checkpoints.remember({ fileBytes: this.archive.endBytes, crc, sizeBytes });
  }
}
