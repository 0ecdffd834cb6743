// Compresses blocks with zstd, on Bun's thread pool, into one frame: Python 3.14's zipfile reads no entry of several.
// Each block is flushed, so that the frame can be ended behind any of them (src/model/core-compression.ts).
import { constants, createZstdCompress, type ZstdCompress } from "node:zlib";
import type { BlockPacker } from "./block-packer.ts";

/**
 * Level 1 is faster than deflate's level 2 and gives smaller zips. A window as long as a block costs 0.3 % of that and
 * saves memory, here and at every reader.
 */
const LEVEL = 1;
const WINDOW_LOG = 18;
const OUTPUT_CHUNK_BYTES = 128 * 1024;

/** The one compressor of a core: its blocks must come in order. */
export class ZstdPacker implements BlockPacker {
  private readonly stream: ZstdCompress;
  private output: Uint8Array[] = [];
  private fail: ((error: unknown) => void) | undefined;

  constructor() {
    this.stream = createZstdCompress({
      params: {
        [constants.ZSTD_c_compressionLevel]: LEVEL,
        [constants.ZSTD_c_windowLog]: WINDOW_LOG,
      },
      flush: constants.ZSTD_e_flush,
      chunkSize: OUTPUT_CHUNK_BYTES,
    });
    this.stream.on("data", (chunk: Uint8Array) => this.output.push(chunk));
    this.stream.on("error", (error) => this.fail?.(error));
  }

  async run(block: Uint8Array): Promise<Uint8Array[]> {
    await new Promise<void>((resolve, reject) => {
      this.fail = reject;
      this.stream.write(block, () => resolve());
    });
    const output = this.output;
    this.output = [];
    return output;
  }
}
