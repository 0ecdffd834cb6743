// Takes the core's blocks out of the queue, compresses several at once, and writes the outputs in order into the
// archive. One loop starts blocks and one writes.
import { availableParallelism } from "node:os";
import { CORE_BLOCK_BYTES } from "../model/partial-layout.ts";
import { SPOOL_SLOT_BYTES } from "../model/spool-layout.ts";
import type { CoreCompression } from "../model/core-compression.ts";
import { BlockDeflater, freeOutput } from "./block-deflater.ts";
import type { BlockPacker } from "./block-packer.ts";
import { ZstdPacker } from "./block-zstd.ts";
import type { BlockQueue, TakenBlock } from "./block-queue.ts";
import { Change } from "./change.ts";
import { Mailbox } from "./mailbox.ts";
import type { QueuedBlock } from "./queued-block.ts";
import { ZeroRuns } from "./zero-runs.ts";
import type { ZipArchive } from "./zip-archive.ts";

/** How many blocks are deflated at once; each has its own compressor. Zstd has one for all of the core. */
const LANES = 4;
/** How many processors deflate, at most. */
const PROCESSORS = Math.min(LANES, availableParallelism());
/**
 * How many blocks are compressed at once while the crashed process waits and its core is spooled: two processors are
 * left to the kernel, which writes the core, and to the reader.
 */
const LANES_WHILE_HELD = Math.max(1, Math.min(LANES, availableParallelism() - 2));
const WRITE_BYTES = 256 * 1024;
/** How many blocks are compressed between two garbage collections, which keeps the peak of memory flat. */
const BLOCKS_PER_COLLECTION = 256;
/** How many runs of zeros may wait to be written. They need no lane, so only this bounds them. */
const RUNS_MAX = 8;

/** What the compressor works with, and whom it notifies. */
export interface CompressorOptions {
  queue: BlockQueue;
  archive: ZipArchive;
  compression: CoreCompression;
  /** Returns whether the crashed process still waits. */
  isHeld: () => boolean;
  /** Called for each block with the time that one lane took, in ms, and how many work side by side at most. */
  onCompressed: (sizeBytes: number, ms: number, atOnce: number) => void;
  /** Called when everything up to the end of a block is in the archive's file. */
  onFlushed: (block: QueuedBlock) => void;
}

interface Lane {
  /** undefined where the core is stored. */
  packer: BlockPacker | undefined;
  /** A slot's room, for blocks from the spool. */
  memory: Uint8Array | undefined;
}

/** A block under way. */
interface Passing {
  block: QueuedBlock;
  /** undefined for zeros, whose output is ready. */
  lane: Lane | undefined;
  output: readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
}

/** The compressor of one core. */
export class BlockCompressor {
  private readonly options: CompressorOptions;
  private readonly idle: Lane[];
  private readonly lanes: number;
  private busy = 0;
  private readonly change = new Change();
  private readonly passing = new Mailbox<Passing>();
  private readonly runs = new ZeroRuns();
  private blocks = 0;

  constructor(options: CompressorOptions) {
    this.options = options;
    const { compression } = options;
    this.lanes = compression === "zstd" ? 1 : LANES;
    this.idle = Array.from({ length: this.lanes }, () => ({
      packer: newPacker(compression),
      memory: undefined,
    }));
  }

  /** Compresses until the queue's end. Throws the first error of the archive's file or of the queue. */
  async run(): Promise<void> {
    await Promise.all([this.startBlocks(), this.writeBlocks()]);
  }

  /** Looks again at how many blocks may be compressed at once. */
  wake(): void {
    this.change.notify();
  }

  private async startBlocks(): Promise<void> {
    try {
      for (;;) {
        const lane = await this.freeLane();
        const taken = await this.options.queue.take(
          () => (lane.memory ??= new Uint8Array(SPOOL_SLOT_BYTES)),
        );
        if (taken === undefined) return;
        if (taken.block.isZeros && this.options.compression === "deflate")
          await this.passZeros(taken.block, lane);
        else this.pass(taken, lane);
      }
    } finally {
      this.passing.close();
    }
  }

  /** Takes an idle lane out, as soon as another block may be compressed. */
  private async freeLane(): Promise<Lane> {
    for (;;) {
      const lane = this.busy < this.lanesNow ? this.idle.pop() : undefined;
      if (lane !== undefined) return lane;
      await this.change.wait();
    }
  }

  private get lanesNow(): number {
    const { isHeld, queue } = this.options;
    return isHeld() && queue.outruns ? LANES_WHILE_HELD : LANES;
  }

  private pass({ block, bytes }: TakenBlock, lane: Lane): void {
    this.busy++;
    this.passing.put({ block, lane, output: this.outputOf(lane, block, bytes) });
  }

  private async passZeros(block: QueuedBlock, lane: Lane): Promise<void> {
    this.idle.push(lane);
    while (this.passing.size >= RUNS_MAX + LANES) await this.change.wait();
    this.passing.put({ block, lane: undefined, output: this.zeros(block.sizeBytes) });
  }

  private zeros(sizeBytes: number): readonly Uint8Array[] {
    const blocks = sizeBytes / CORE_BLOCK_BYTES;
    return [blocks === 1 ? this.runs.block : this.runs.of(blocks)];
  }

  private async outputOf(
    { packer }: Lane,
    { isZeros, sizeBytes }: QueuedBlock,
    bytes: Uint8Array,
  ): Promise<readonly Uint8Array[]> {
    if (packer === undefined) return [bytes];
    const startedMs = performance.now();
    const output = isZeros ? await packZeros(packer, sizeBytes) : await packer.run(bytes);
    const atOnce = Math.min(this.lanes, PROCESSORS);
    this.options.onCompressed(sizeBytes, performance.now() - startedMs, atOnce);
    return output;
  }

  private async writeBlocks(): Promise<void> {
    const { archive, queue } = this.options;
    const written: Uint8Array[] = [];
    let last: QueuedBlock | undefined;
    for (;;) {
      const passing = await this.passing.take();
      if (passing === undefined) break;
      const { block, lane, output } = passing;
      const parts = await output;
      for (const part of parts) archive.push(part);
      const isStored = lane !== undefined && lane.packer === undefined;
      if (lane !== undefined && !isStored) {
        written.push(...parts);
        // The block is free; only its output still waits for the disk.
        this.giveBack(block, lane);
      }
      last = block;
      if (isStored || archive.queuedBytes >= WRITE_BYTES || queue.wantsFlush) {
        await archive.flush();
        freeOutput(written.splice(0));
        this.options.onFlushed(block);
      }
      if (isStored) this.giveBack(block, lane);
      this.change.notify();
    }
    await archive.flush();
    if (last !== undefined) this.options.onFlushed(last);
  }

  private giveBack(block: QueuedBlock, lane: Lane): void {
    this.options.queue.compressed(block);
    this.idle.push(lane);
    this.busy--;
    this.change.notify();
    this.blocks++;
    if (this.blocks % BLOCKS_PER_COLLECTION === 0) Bun.gc(true);
  }
}

function newPacker(compression: CoreCompression): BlockPacker | undefined {
  if (compression === "none") return undefined;
  return compression === "zstd" ? new ZstdPacker() : new BlockDeflater();
}

const ZEROS = new Uint8Array(CORE_BLOCK_BYTES);

/** Compresses a run of whole blocks of zeros. */
async function packZeros(packer: BlockPacker, sizeBytes: number): Promise<Uint8Array[]> {
  const output: Uint8Array[] = [];
  for (let left = sizeBytes; left > 0; left -= CORE_BLOCK_BYTES)
    output.push(...(await packer.run(ZEROS)));
  return output;
}
