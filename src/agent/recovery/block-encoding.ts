// Packs the core's blocks behind those that a killed composer had packed, in the same stream. Deflated blocks know nothing
// of each other. A zstd block leans on those before it, which only its own compressor knows: behind them blocks go into
// the frame as they are, which every reader takes.
import { promisify } from "node:util";
import { constants, deflateRaw } from "node:zlib";
import { DEFLATE_PARAMETERS, deflateZeros } from "../../model/block-deflate.ts";
import type { CoreCompression } from "../../model/core-compression.ts";
import { CORE_BLOCK_BYTES } from "../../model/partial-layout.ts";

/** How blocks are packed. */
export interface BlockEncoding {
  /** What comes before the core's first block. */
  start: Uint8Array;
  /** Packs one block. */
  pack(block: Uint8Array): Promise<Uint8Array>;
  /** One packed block of zeros. */
  zeros: Uint8Array;
}

const deflate = promisify<Uint8Array, object, Buffer>(deflateRaw);

/** Returns the encoding for a compressed core. */
export function encodingOf(compression: CoreCompression): BlockEncoding {
  return compression === "zstd" ? ZSTD : DEFLATE;
}

const DEFLATE: BlockEncoding = {
  start: new Uint8Array(0),
  pack: (block) => deflate(block, { ...DEFLATE_PARAMETERS, finishFlush: constants.Z_SYNC_FLUSH }),
  get zeros() {
    return deflateZeros(CORE_BLOCK_BYTES);
  },
};

/** RFC 8878, sections 3.1.1.1 and 3.1.1.2: a header with a window of 256 KiB; blocks of 128 KiB at most. */
const ZSTD_START = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x40]);
const ZSTD_BLOCK_BYTES = 128 * 1024;
const [TYPE_RAW, TYPE_RLE] = [0, 1];

const ZSTD: BlockEncoding = {
  start: ZSTD_START,
  pack: async (block) => Buffer.concat([...rawBlocks(block)]),
  zeros: Buffer.concat(
    Array.from({ length: CORE_BLOCK_BYTES / ZSTD_BLOCK_BYTES }, () => [
      blockHead(TYPE_RLE, ZSTD_BLOCK_BYTES),
      Buffer.alloc(1),
    ]).flat(),
  ),
};

function* rawBlocks(block: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < block.length; at += ZSTD_BLOCK_BYTES) {
    const part = block.subarray(at, at + ZSTD_BLOCK_BYTES);
    yield blockHead(TYPE_RAW, part.length);
    yield part;
  }
}

function blockHead(type: number, sizeBytes: number): Buffer {
  const head = Buffer.alloc(3);
  head.writeUIntLE((sizeBytes << 3) | (type << 1), 0, 3);
  return head;
}
