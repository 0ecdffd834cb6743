// Deflates blocks side by side on Bun's thread pool. Each block ends in a sync flush. The outputs, one after the other
// and closed by FINAL_BLOCK (src/model/partial-layout.ts), are therefore one valid deflate stream (RFC 1951, section
// 3.2.4) that can be cut after any block. docs/performance.md has the measurements.
import { constants, createDeflateRaw, type DeflateRaw } from "node:zlib";
import type { BlockPacker } from "./block-packer.ts";
import { DEFLATE_PARAMETERS } from "../model/block-deflate.ts";

const OUTPUT_CHUNK_BYTES = 128 * 1024;

/** One compressor with its history, used for one block at a time. */
export class BlockDeflater implements BlockPacker {
  private readonly deflate: DeflateRaw;
  private output: Uint8Array[] = [];
  private fail: ((error: unknown) => void) | undefined;

  constructor() {
    this.deflate = createDeflateRaw({
      ...DEFLATE_PARAMETERS,
      // With this option each write ends in a sync flush, so that a block is one job on the thread pool and not two.
      flush: constants.Z_SYNC_FLUSH,
      chunkSize: OUTPUT_CHUNK_BYTES,
    });
    this.deflate.on("data", (chunk: Uint8Array) => this.output.push(chunk));
    this.deflate.on("error", (error) => this.fail?.(error));
  }

  /** Deflates a block, which the caller must not change until this settles. */
  async run(block: Uint8Array): Promise<Uint8Array[]> {
    await new Promise<void>((resolve, reject) => {
      this.fail = reject;
      this.deflate.write(block, () => resolve());
    });
    this.deflate.reset(); // makes the next block independent of this one
    const output = this.output;
    this.output = [];
    return output;
  }
}

/**
 * Frees the memory of written outputs at once instead of at the next collection; fewer collections save a sixth of the
 * processor time. zlib cuts its chunks into outputs from front to back, so when the last piece of a chunk is written,
 * all of the chunk is.
 */
export function freeOutput(parts: readonly Uint8Array[]): void {
  for (const { buffer, byteOffset, byteLength } of parts)
    if (buffer instanceof ArrayBuffer && byteOffset + byteLength === buffer.byteLength)
      buffer.transfer(0);
}
