// Finds how much of a zstd core is certainly in a partial: goes from block to block of its one frame (RFC 8878, section
// 3.1.1) and unpacks each, until one is not whole. The composer flushes each of the core's blocks, so the result is what
// had reached the disk.
import type { FileHandle } from "node:fs/promises";
import { constants, crc32, createZstdDecompress } from "node:zlib";
import { ElfCoreReader } from "../../model/core-extent.ts";
import { ZSTD_LAST_BLOCK, streamEnd } from "../../model/core-compression.ts";
import { CORE_BLOCK_BYTES } from "../../model/partial-layout.ts";
import type { ScannedCore } from "./core-scan.ts";
import { FileWindow } from "./file-window.ts";

const MAGIC = 0xfd2f_b528;
/** Magic, descriptor, window; the composer's frames have no more, and others are not expected here. */
const HEADER_BYTES = 6;
const HEADER_DESCRIPTOR = 0;
const BLOCK_HEAD_BYTES = 3;
/** The longest block of a frame, with its head. */
const BLOCK_MAX_BYTES = 128 * 1024 + BLOCK_HEAD_BYTES;
const [TYPE_RAW, TYPE_RLE, TYPE_COMPRESSED] = [0, 1, 2];
/** The largest window that is unpacked, as a power of two; the composer's is 18. */
const WINDOW_LOG_MAX = 23;
/** After so many blocks other work gets its turn and freed blocks are collected, so that memory stays flat. */
const BLOCKS_PER_TURN = 128;

/** Scans a zstd core whose frame starts at `offset`. */
export async function scanZstdCore(file: FileHandle, offset: number): Promise<ScannedCore> {
  const elf = new ElfCoreReader();
  const core: ScannedCore = { endOffset: offset, sizeBytes: 0, crc: 0, ended: false, elf };
  const window = new FileWindow(file, offset);
  const head = Buffer.from((await window.peek(HEADER_BYTES + BLOCK_HEAD_BYTES)).bytes);
  if (head.equals(streamEnd("zstd", 0))) return { ...core, ended: true };
  if (head.length < HEADER_BYTES || head.readUInt32LE(0) !== MAGIC) return core;
  if (head[4] !== HEADER_DESCRIPTOR) return core;
  const unpacker = new Unpacker();
  try {
    await unpacker.run(head.subarray(0, HEADER_BYTES));
    window.advance(HEADER_BYTES);
    await scanBlocks(window, unpacker, core);
  } catch {
    // The block is not what the composer wrote: the core ends before it.
  } finally {
    unpacker.end();
  }
  return core;
}

async function scanBlocks(window: FileWindow, unpacker: Unpacker, core: ScannedCore) {
  // A block of the core is several of the frame's; only whole ones count, so that the spool can follow.
  let pending: Buffer[] = [];
  for (let blocks = 1; ; blocks++) {
    const { bytes } = await window.peek(BLOCK_MAX_BYTES);
    const isLast = ZSTD_LAST_BLOCK.every((byte, index) => bytes[index] === byte);
    const length = isLast ? 0 : blockLength(bytes);
    if (length === undefined) return;
    if (!isLast) pending.push(await unpacker.run(bytes.subarray(0, length)));
    const data = Buffer.concat(pending);
    // The core's last block may be shorter.
    if (data.length >= CORE_BLOCK_BYTES || isLast) {
      core.elf.push(data);
      core.sizeBytes += data.length;
      core.crc = crc32(data, core.crc);
      core.endOffset = window.offset + length;
      pending = [];
    }
    if (isLast) {
      core.ended = true;
      return;
    }
    window.advance(length);
    if (blocks % BLOCKS_PER_TURN === 0) {
      Bun.gc(true);
      await Bun.sleep(0);
    }
  }
}

/** Returns the length of the block at the start, with its head; undefined where it is not whole. */
function blockLength(bytes: Buffer): number | undefined {
  if (bytes.length < BLOCK_HEAD_BYTES) return undefined;
  const head = bytes.readUIntLE(0, BLOCK_HEAD_BYTES);
  const [isLast, type, size] = [(head & 1) !== 0, (head >> 1) & 3, head >> 3];
  if (isLast || ![TYPE_RAW, TYPE_RLE, TYPE_COMPRESSED].includes(type)) return undefined;
  const length = BLOCK_HEAD_BYTES + (type === TYPE_RLE ? 1 : size);
  return length > BLOCK_MAX_BYTES || length > bytes.length ? undefined : length;
}

/** Unpacks a frame piece by piece. */
class Unpacker {
  private readonly stream = createZstdDecompress({
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
  });
  private output: Uint8Array[] = [];
  private fail: (error: unknown) => void = () => undefined;

  constructor() {
    this.stream.on("data", (chunk: Uint8Array) => this.output.push(chunk));
    this.stream.on("error", (error) => this.fail(error));
  }

  /** Returns what the piece unpacks to. Throws for bytes that are no zstd. */
  async run(bytes: Uint8Array): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.fail = reject;
      this.stream.write(bytes, () => resolve());
    });
    return Buffer.concat(this.output.splice(0));
  }

  end(): void {
    this.stream.destroy();
  }
}
