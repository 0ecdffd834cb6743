// How much of a core lies in a partial file for certain: block after block is inflated until one is not whole.
// Each block was deflated by itself and ended by a sync flush (model/partial-layout.ts), so what is found is
// exactly what had reached the disk.
import type { FileHandle } from "node:fs/promises";
import { constants, crc32, inflateRawSync } from "node:zlib";
import { ElfCoreReader } from "../../model/elf-core.ts";
import { CORE_BLOCK_BYTES, FINAL_BLOCK } from "../../model/partial-layout.ts";
import { FileWindow } from "./file-window.ts";

export interface ScannedCore {
  /** Where the last whole block ends in the file; the final block, if it is there, stands behind it. */
  endOffset: number;
  sizeBytes: number;
  crc: number;
  /** The composer had closed the core: entries may follow. */
  ended: boolean;
  elf: ElfCoreReader;
}

/** What a sync flush leaves at the end of a block (RFC 1951, 3.2.4: an empty stored block). */
const SYNC_MARK = Buffer.from([0x00, 0x00, 0xff, 0xff]);
/** A block that does not shrink is stored, with a few bytes for every 64 KiB or less of it. */
const DEFLATED_MAX_BYTES = CORE_BLOCK_BYTES + 64 * 1024;
const RECORD_START = "PK";
/** After so many blocks others get their turn, and freed blocks return at once: memory stays flat. */
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

/** The block at the start of `bytes`, or undefined where none is whole. `isTail`: the file ends with them. */
function findBlock(bytes: Buffer, isTail: boolean): Block | undefined {
  const marks = findMarks(bytes);
  // Nearly always the first mark is the one. A process can put the mark's bytes into its memory as often as it
  // likes, so the right one is not looked for one by one: the longer the piece, the more it inflates to.
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

/** The core's last block is shorter than the others: it ends at the file's end or before the final block. */
function findLastBlock(bytes: Buffer, marks: number[], isTail: boolean): Block | undefined {
  for (const end of marks.toReversed()) {
    const rest = bytes.subarray(end);
    const isLast = rest.length === 0 ? isTail : startsWithFinal(rest) && isRecordStart(rest);
    if (!isLast) continue;
    try {
      // With the final block behind it the stream must end cleanly, or this was no end of a block.
      const data = inflateRawSync(Buffer.concat([bytes.subarray(0, end), FINAL_BLOCK]));
      return { data, deflatedBytes: end };
    } catch {
      continue; // a mark inside a block's data: not the end of one
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

/** Where each sync mark ends. */
function findMarks(bytes: Buffer): number[] {
  const marks: number[] = [];
  for (let at = bytes.indexOf(SYNC_MARK); at >= 0; at = bytes.indexOf(SYNC_MARK, at + 1))
    marks.push(at + SYNC_MARK.length);
  return marks;
}

/** undefined for what is no deflate stream, or one of more than a block. */
function inflate(deflated: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(deflated, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: CORE_BLOCK_BYTES,
    });
  } catch {
    return undefined; // the error says no more than that
  }
}
