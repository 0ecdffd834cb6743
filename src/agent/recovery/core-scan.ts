// Finds how much of a core is certainly in a partial: inflates block after block until one is not whole. Each block is
// independent and ends with a sync flush (src/model/partial-layout.ts), so the result is exactly what had reached the
// disk.
import type { FileHandle } from "node:fs/promises";
import { constants, crc32, inflateRawSync } from "node:zlib";
import { ElfCoreReader } from "../../model/core-extent.ts";
import { CORE_BLOCK_BYTES, FINAL_BLOCK } from "../../model/partial-layout.ts";
import { FileWindow } from "./file-window.ts";

/** What was found of the core. */
export interface ScannedCore {
  /** The offset in the file at which the last whole block ends; the final block, if there is one, follows. */
  endOffset: number;
  sizeBytes: number;
  crc: number;
  /** True where the composer had ended the core, so that entries may follow. */
  ended: boolean;
  elf: ElfCoreReader;
}

/** The bytes of a sync flush at the end of a block: an empty stored block (RFC 1951, 3.2.4). */
const SYNC_MARK = Buffer.from([0x00, 0x00, 0xff, 0xff]);
/** The longest deflated block. One that does not shrink is stored, with a few more bytes for each 64 KiB or less. */
const DEFLATED_MAX_BYTES = CORE_BLOCK_BYTES + 64 * 1024;
const RECORD_START = "PK";
/** After so many blocks other work gets its turn and freed blocks are collected, so that memory stays flat. */
const BLOCKS_PER_TURN = 64;

/** Scans a deflated core whose data starts at `offset`. */
export async function scanDeflatedCore(file: FileHandle, offset: number): Promise<ScannedCore> {
  const window = new FileWindow(file, offset);
  const elf = new ElfCoreReader();
  let [sizeBytes, crc] = [0, 0];
  for (let blocks = 1; ; blocks++) {
    const { bytes, reachesEnd } = await window.peek(DEFLATED_MAX_BYTES);
    if (startsWithFinal(bytes))
      return { endOffset: window.offset, sizeBytes, crc, ended: true, elf };
    const block = findBlock(bytes, reachesEnd);
    if (block === undefined) break;
    elf.push(block.data);
    sizeBytes += block.data.length;
    crc = crc32(block.data, crc);
    window.advance(block.deflatedBytes);
    if (blocks % BLOCKS_PER_TURN === 0) await giveWay();
  }
  return { endOffset: window.offset, sizeBytes, crc, ended: false, elf };
}

async function giveWay(): Promise<void> {
  Bun.gc(true);
  await Bun.sleep(0);
}

interface Block {
  data: Buffer;
  deflatedBytes: number;
}

/**
 * Finds the block at the start of `bytes`; undefined where none is whole. `isTail` is true where the file ends with
 * them.
 */
function findBlock(bytes: Buffer, isTail: boolean): Block | undefined {
  const marks = findMarks(bytes);
  // The first mark is nearly always the right one. A process can have the mark's bytes in its memory any number of
  // times, so this searches the marks by bisection: a longer piece inflates to more.
  let [low, high, probe] = [0, marks.length, 0];
  let found: Block | undefined;
  while (low < high) {
    const deflatedBytes = marks[probe] ?? 0;
    const data = inflate(bytes.subarray(0, deflatedBytes));
    if (data !== undefined && data.length < CORE_BLOCK_BYTES) low = probe + 1;
    else {
      high = probe;
      found = data === undefined ? undefined : { data, deflatedBytes };
    }
    probe = (low + high) >> 1;
  }
  return low < marks.length ? found : findLastBlock(bytes, marks, isTail);
}

/** Finds the core's last block, which is shorter and ends at the file's end or before the final block. */
function findLastBlock(bytes: Buffer, marks: number[], isTail: boolean): Block | undefined {
  for (const end of marks.toReversed()) {
    const rest = bytes.subarray(end);
    const isLast = rest.length === 0 ? isTail : startsWithFinal(rest) && isRecordStart(rest);
    if (!isLast) continue;
    try {
      // With the final block behind it the stream must end cleanly; otherwise this mark is no end of a block.
      const data = inflateRawSync(Buffer.concat([bytes.subarray(0, end), FINAL_BLOCK]));
      return { data, deflatedBytes: end };
    } catch {
      continue; // the mark is inside a block's data
    }
  }
  return undefined;
}

function isRecordStart(rest: Buffer): boolean {
  const behind = rest.subarray(FINAL_BLOCK.length, FINAL_BLOCK.length + RECORD_START.length);
  return behind.length === 0 || behind.toString("latin1") === RECORD_START;
}

function startsWithFinal(bytes: Buffer): boolean {
  return FINAL_BLOCK.every((byte, index) => bytes[index] === byte);
}

/** Returns where each sync mark ends. */
function findMarks(bytes: Buffer): number[] {
  const marks: number[] = [];
  for (let at = bytes.indexOf(SYNC_MARK); at >= 0; at = bytes.indexOf(SYNC_MARK, at + 1))
    marks.push(at + SYNC_MARK.length);
  return marks;
}

/** Inflates one block; undefined for bytes that are no deflate stream or that hold more than a block. */
function inflate(deflated: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(deflated, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: CORE_BLOCK_BYTES,
    });
  } catch {
    return undefined; // the error has no further information
  }
}
