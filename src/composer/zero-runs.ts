// Runs of zeros in a core, as they lie in its zip: the deflate form of a block of zeros is always the same, so whole
// runs of blocks need neither be read nor deflated.
import { CORE_BLOCK_BYTES } from "../model/partial-layout.ts";
import { deflateZeros } from "./block-deflater.ts";

/** Blocks in the longest run: 64 MiB of the core. */
export const RUN_BLOCKS = 256;

export class ZeroRuns {
  readonly #block = deflateZeros(CORE_BLOCK_BYTES);
  /** RUN_BLOCKS blocks, made when they are needed. */
  #run: Uint8Array | undefined;

  /** One block, deflated. */
  get block(): Uint8Array {
    return this.#block;
  }

  /** So many blocks (RUN_BLOCKS at most), each ended by a sync flush as all blocks are. Shared: not to be changed. */
  of(blocks: number): Uint8Array {
    this.#run ??= Buffer.concat(Array<Uint8Array>(RUN_BLOCKS).fill(this.#block));
    return this.#run.subarray(0, blocks * this.#block.length);
  }
}
