// What a lane of the compressor does with a block, whatever the way of compressing.

/** Compresses one block at a time. */
export interface BlockPacker {
  /** Compresses a block, which the caller must not change until this settles. */
  run(block: Uint8Array): Promise<Uint8Array[]>;
}
