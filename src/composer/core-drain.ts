// The way of a core's bytes: input → blocks → deflate, side by side → the archive, in order. One loop reads,
// one writes. Ends at the input's end or at the first reason to stop.
import { crc32 } from "node:zlib";
import { ElfCoreReader } from "../model/elf-core.ts";
import { crc32WithZeros } from "../model/crc32-zeros.ts";
import { CORE_BLOCK_BYTES as BLOCK_BYTES } from "../model/partial-layout.ts";
import { BlockDeflater, freeOutput } from "./block-deflater.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { CoreInput } from "./core-input.ts";
import { Mailbox } from "./mailbox.ts";
import { isNoSpace } from "./partial-file.ts";
import { RUN_BLOCKS, ZeroRuns } from "./zero-runs.ts";
import type { Checkpoint, ZipArchive } from "./zip-archive.ts";

/** Why the drain ended: the input's end, or what cut it short. */
export type DrainEnd = "end" | "timeout" | "size_limit" | "no_space" | "skipped";

/** Blocks under way at once; each has its compressor. */
const LANES = 4;
const WRITE_BYTES = 256 * 1024;
/** Blocks between two collections: the peak of memory stays flat. */
const BLOCKS_PER_COLLECTION = 256;
/** Blocks of zeros that may wait to be written; they need no lane, so nothing else would hold them back. */
const ZEROS_MAX = 256;
/** Runs of a file's hole that may wait to be written. */
const RUNS_MAX = 8;
const RUN_PAUSE_MS = 1;

export interface DrainOptions {
  compress: boolean;
  /** Bytes of core after which it is cut; 0 is no limit. */
  maxCoreBytes: number;
  /** Asked before so many bytes of the core are read; false when it must end here for want of space. */
  hasSpace: (sizeBytes: number) => Promise<boolean>;
  /** Called once, when the first bytes were read. */
  onFirstBytes: () => void;
  /** Called when no more will be read, while the last blocks are still being written. Awaited. */
  onLastBytes: () => Promise<void>;
  /** Called where the input fails instead of ending: what was read until then is kept. */
  onReadError: (error: unknown) => void;
}

interface Lane {
  block: Uint8Array;
  deflater: BlockDeflater | undefined;
}

/** A block on its way, with the core's length and CRC-32 up to its end. */
interface Passing {
  /** undefined where its block is in use again: zeros have their output at hand. */
  lane: Lane | undefined;
  sizeBytes: number;
  crc: number;
  output: Promise<readonly Uint8Array[]>;
}

export class CoreDrain {
  readonly elf = new ElfCoreReader();
  private readonly input: CoreInput;
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

  constructor(input: CoreInput, archive: ZipArchive, options: DrainOptions) {
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

  /** Ends the drain from outside (deadline, selector), even while the input is silent. */
  stop(reason: DrainEnd): void {
    this.stopReason ??= reason;
    this.wakeReader();
    this.idle.close();
  }

  /**
   * Drains until the end. The archive's open entry holds the core up to the last checkpoint at least.
   * Errors other than a full disk are thrown.
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

  /** How much of the core is in the archive for certain, and its CRC-32. */
  get written(): Checkpoint {
    return this.checkpoints.newest;
  }

  /** The newest place at least freeBytes below the file's end to cut the core back to, if one is left. */
  takeCheckpoint(freeBytes: number): Checkpoint | undefined {
    return this.checkpoints.cutTo(this.archive.endBytes - freeBytes);
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

  /** Passes a run of whole blocks that are a hole of the input's file; false where there is none. */
  private async passHole(): Promise<boolean> {
    const { compress, maxCoreBytes } = this.options;
    // Before the headers are known their zeros count; without compression zeros are written like all else.
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

  /** The last block was not a full one: the input is at its end, or the core at its limit. */
  private async endOfBlocks(limitReached: boolean): Promise<void> {
    if (limitReached && (await this.readInto(new Uint8Array(1))) > 0) this.stop("size_limit");
  }

  /** Fills the block until it is full, the input ends or the drain is stopped; the bytes read. */
  private async readInto(block: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < block.length && this.stopReason === undefined) {
      const count = await this.readOrStop(block, filled);
      if (count === 0) break;
      if (this.sizeBytes === 0 && filled === 0) this.options.onFirstBytes();
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
      // The same block is filled next: it stays in the processor's cache.
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
        // Its block is free: only the output still waits for the disk.
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

  /** All that was passed so far is in the file: it may be cut back to here. */
  private remember(crc: number, sizeBytes: number): void {
    this.checkpoints.remember({ fileBytes: this.archive.endBytes, crc, sizeBytes });
  }
}
