// The deflate form of runs of zeros in a core. A block of zeros always deflates to the same bytes, so whole runs of
// blocks need neither be read nor deflated.
import { CORE_BLOCK_BYTES } from "../model/partial-layout.ts";
import { deflateZeros } from "../model/block-deflate.ts";

/** The number of blocks in the longest run: 64 MiB of the core. */
export const RUN_BLOCKS = 256;

/** Makes runs on demand and keeps them. */
export class ZeroRuns {
  private readonly deflated = deflateZeros(CORE_BLOCK_BYTES);
  /** RUN_BLOCKS blocks; undefined until they are needed. */
  private run: Uint8Array | undefined;

  /** One deflated block. */
  get block(): Uint8Array {
    return this.deflated;
  }

  /**
   * Returns `blocks` deflated blocks (at most RUN_BLOCKS), each with its sync flush. The bytes are shared, so callers
   * must not change them.
   */
  of(blocks: number): Uint8Array {
    this.run ??= Buffer.concat(Array<Uint8Array>(RUN_BLOCKS).fill(this.deflated));
    return this.run.subarray(0, blocks * this.deflated.length);
  }
}
