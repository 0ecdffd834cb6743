// What a core begins with: its ELF header and its program headers (elf(5), fs/binfmt_elf.c). 64 bits, little-endian,
// x86-64 or aarch64: the machines that this program runs on. The bytes may be hostile where the core lies in a file.
import { CoreSegments } from "./core-segments.ts";

const [MAGIC, CLASS_64, LITTLE_ENDIAN, ET_CORE] = [0x7f454c46, 2, 1, 4];
const [EM_X86_64, EM_AARCH64] = [62, 183];
const [PT_LOAD, PT_NOTE, PN_XNUM] = [1, 4, 0xffff];
export const [HEADER_BYTES, SEGMENT_BYTES] = [64, 56];
/** 100,000 mappings and some more; one takes 41 bytes of memory. */
const SEGMENTS_MAX = 150_000;
const SECTION_BYTES = 64;

/** What the first 64 bytes tell; undefined for what is no such core. */
export interface CoreHeader {
  /** The 64 bytes. */
  bytes: Buffer;
  isArm: boolean;
  /** PN_XNUM where the number stands elsewhere. */
  count: number;
  sectionsOffset: number;
}

/** The header and the program headers. */
export interface CoreFront {
  header: CoreHeader;
  segments: CoreSegments;
  notes: { offset: number; sizeBytes: number };
  /** The length of the whole core. */
  expectedBytes: number;
}

/** Parses a core's first 64 bytes. */
export function parseCoreHeader(head: Buffer): CoreHeader | undefined {
  if (head.length < HEADER_BYTES || head.readUInt32BE(0) !== MAGIC) return undefined;
  const isKnown = head[4] === CLASS_64 && head[5] === LITTLE_ENDIAN;
  if (!isKnown || head.readUInt16LE(16) !== ET_CORE) return undefined;
  const machine = head.readUInt16LE(18);
  // As the kernel writes it.
  if (head.readBigUInt64LE(32) !== BigInt(HEADER_BYTES)) return undefined;
  if (machine !== EM_X86_64 && machine !== EM_AARCH64) return undefined;
  if (head.readUInt16LE(54) !== SEGMENT_BYTES) return undefined;
  return {
    bytes: Buffer.from(head.subarray(0, HEADER_BYTES)),
    isArm: machine === EM_AARCH64,
    count: head.readUInt16LE(56),
    sectionsOffset: Number(head.readBigUInt64LE(40)),
  };
}

/**
 * Returns how many program headers there are. With PN_XNUM the number stands at the core's very end, but the kernel
 * writes the notes right behind the program headers, and the first of these is the notes'. Throws where there are too
 * many, or none.
 */
export function countSegments({ count }: CoreHeader, first: Buffer): number {
  const known =
    count === PN_XNUM ? (Number(first.readBigUInt64LE(8)) - HEADER_BYTES) / SEGMENT_BYTES : count;
  if (!Number.isInteger(known) || known < 1) throw new Error("its program headers are not usual");
  if (known > SEGMENTS_MAX) throw new Error(`it has ${known} mappings, too many`);
  return known;
}

/**
 * Reads the table in pieces; `read` returns sizeBytes bytes of the core from an offset on. pageBytes is the kernel's.
 * Throws where the notes are not where the kernel has them, right behind.
 */
export function readFront(
  header: CoreHeader,
  count: number,
  pageBytes: number,
  read: (offset: number, sizeBytes: number) => Buffer,
): CoreFront {
  const segments = new CoreSegments(count, pageBytes);
  let notes: CoreFront["notes"] | undefined;
  let expectedBytes =
    header.count === PN_XNUM
      ? header.sectionsOffset + SECTION_BYTES
      : HEADER_BYTES + count * SEGMENT_BYTES;
  const step = 1024;
  for (let from = 0; from < count; from += step) {
    const rows = Math.min(step, count - from);
    const table = read(HEADER_BYTES + from * SEGMENT_BYTES, rows * SEGMENT_BYTES);
    for (let at = 0; at + SEGMENT_BYTES <= table.length; at += SEGMENT_BYTES) {
      const row = table.subarray(at, at + SEGMENT_BYTES);
      const [offset, fileBytes] = [word(row, 8), word(row, 32)];
      if (fileBytes > 0) expectedBytes = Math.max(expectedBytes, offset + fileBytes);
      const type = row.readUInt32LE(0);
      if (type === PT_NOTE) notes ??= { offset, sizeBytes: fileBytes };
      if (type === PT_LOAD) segments.add(row);
    }
  }
  if (notes?.offset !== HEADER_BYTES + count * SEGMENT_BYTES)
    throw new Error("its notes are not right behind its program headers");
  segments.sort();
  return { header, segments, notes, expectedBytes };
}

function word(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
