// How a spool is laid out: the file in which a composer keeps the part of a core that it has read and not yet compressed.
// One slot after the other, each with one block of the core or a run of blocks of zeros, in the core's order. The agent
// relies on it when it seals the partial of a killed composer.
import { crc32 } from "node:zlib";
import { CORE_BLOCK_BYTES } from "./partial-layout.ts";

/** A slot begins with a head: a page, so that a slot's room can be given back to the disk by itself. */
export const SPOOL_HEAD_BYTES = 4096;
export const SPOOL_SLOT_BYTES = SPOOL_HEAD_BYTES + CORE_BLOCK_BYTES;

/** What one slot holds. */
export interface SpooledBlock {
  /** Where the block begins in the core, in bytes. */
  offset: number;
  /** At most CORE_BLOCK_BYTES, less only at the core's end; for zeros any number of whole blocks. */
  sizeBytes: number;
  /** The CRC-32 of the core from its beginning to the block's end. A reader proves with it that nothing is missing. */
  crc: number;
  /** True for a run of zeros, which takes only a head. */
  isZeros: boolean;
}

const MAGIC = 0x3153_4443;
/** Magic, kind, offset, size, the core's CRC-32, the head's own CRC-32. */
const FIELDS_BYTES = 32;
const [KIND_DATA, KIND_ZEROS] = [1, 2];

/** Writes a slot's head at the beginning of `into`. */
export function writeSpoolHead(into: Uint8Array, block: SpooledBlock): void {
  const head = Buffer.from(into.buffer, into.byteOffset, FIELDS_BYTES);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(block.isZeros ? KIND_ZEROS : KIND_DATA, 4);
  head.writeBigUInt64LE(BigInt(block.offset), 8);
  head.writeBigUInt64LE(BigInt(block.sizeBytes), 16);
  head.writeUInt32LE(block.crc, 24);
  head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
}

/** Reads a slot's head; undefined where there is none, or only a part of it. */
export function parseSpoolHead(bytes: Uint8Array): SpooledBlock | undefined {
  if (bytes.length < FIELDS_BYTES) return undefined;
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, FIELDS_BYTES);
  if (head.readUInt32LE(0) !== MAGIC) return undefined;
  if (head.readUInt32LE(28) !== crc32(head.subarray(0, 28))) return undefined;
  const kind = head.readUInt32LE(4);
  const isZeros = kind === KIND_ZEROS;
  const offset = Number(head.readBigUInt64LE(8));
  const sizeBytes = Number(head.readBigUInt64LE(16));
  if (!Number.isSafeInteger(offset + sizeBytes) || (!isZeros && kind !== KIND_DATA))
    return undefined;
  if (isZeros ? sizeBytes % CORE_BLOCK_BYTES !== 0 : sizeBytes > CORE_BLOCK_BYTES) return undefined;
  return { offset, sizeBytes, crc: head.readUInt32LE(24), isZeros };
}
