// Reads the header and the program headers of an ELF file or core (elf(5)): 64 bits, little-endian, x86-64 or aarch64.
import { Malformed } from "./malformed.ts";
import { PROGRAM_HEADERS_MAX } from "./limits.ts";
import type { RandomBytes } from "../model/random-bytes.ts";

export type Machine = "x86_64" | "aarch64";

export const [PT_LOAD, PT_DYNAMIC, PT_NOTE, PT_GNU_EH_FRAME] = [1, 2, 4, 0x6474e550];
export const ET_CORE = 4;
export const PF_X = 1;
export const PF_W = 2;

/** One program header. */
export interface ProgramHeader {
  type: number;
  flags: number;
  offset: number;
  address: bigint;
  fileBytes: number;
  memoryBytes: bigint;
}

/** The fields of the file's header. */
export interface ElfHeader {
  machine: Machine;
  type: number;
  segments: ProgramHeader[];
  /** Program headers beyond the limit. */
  segmentsLeftOut: number;
  sections: { offset: number; count: number; namesIndex: number };
}

const MACHINES: Readonly<Record<number, Machine>> = { 62: "x86_64", 183: "aarch64" };
const [HEADER_BYTES, SEGMENT_BYTES, SECTION_BYTES] = [64, 56, 64];
/** The real number then stands in section 0's sh_info. */
const PN_XNUM = 0xffff;

/** Returns whether a file's first bytes are those of an ELF file. */
export function isElf(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32BE(0) === 0x7f454c46;
}

/** Throws Malformed for what is no such file. Program headers beyond the bytes' end are left out. */
export function parseElfHeader(bytes: RandomBytes, maxSegments = PROGRAM_HEADERS_MAX): ElfHeader {
  const head = bytes.read(0, HEADER_BYTES);
  if (!isElf(head)) throw new Malformed("it is no ELF file");
  if (head.length < HEADER_BYTES) throw new Malformed("its ELF header is cut short");
  if (head[4] !== 2 || head[5] !== 1) throw new Malformed("it is not 64-bit and little-endian");
  const machine = MACHINES[head.readUInt16LE(18)];
  if (machine === undefined)
    throw new Malformed(`it is for machine ${head.readUInt16LE(18)}, not x86-64 or aarch64`);
  const sectionsAt = offsetOf(head, 40);
  const count = segmentCount(bytes, head.readUInt16LE(56), sectionsAt);
  if (count > 0 && head.readUInt16LE(54) !== SEGMENT_BYTES)
    throw new Malformed("its program headers have a strange size");
  return {
    machine,
    type: head.readUInt16LE(16),
    segments: readSegments(bytes, offsetOf(head, 32), Math.min(count, maxSegments)),
    segmentsLeftOut: Math.max(0, count - maxSegments),
    sections: {
      offset: sectionsAt,
      count: head.readUInt16LE(58) === SECTION_BYTES ? head.readUInt16LE(60) : 0,
      namesIndex: head.readUInt16LE(62),
    },
  };
}

function segmentCount(bytes: RandomBytes, count: number, sectionsAt: number): number {
  if (count !== PN_XNUM) return count;
  const section = bytes.read(sectionsAt, SECTION_BYTES);
  return section.length < SECTION_BYTES ? count : section.readUInt32LE(44);
}

/** A block at a time: 65,535 headers are 3.5 MB. */
const BLOCK_SEGMENTS = 1024;

function readSegments(bytes: RandomBytes, start: number, count: number): ProgramHeader[] {
  const segments: ProgramHeader[] = [];
  for (let done = 0; done < count; done += BLOCK_SEGMENTS) {
    const wanted = Math.min(BLOCK_SEGMENTS, count - done) * SEGMENT_BYTES;
    const block = bytes.read(start + done * SEGMENT_BYTES, wanted);
    for (let at = 0; at + SEGMENT_BYTES <= block.length; at += SEGMENT_BYTES)
      segments.push(readSegment(block, at));
    if (block.length < wanted) break;
  }
  return segments;
}

function readSegment(block: Buffer, at: number): ProgramHeader {
  const [offset, fileBytes] = [offsetOf(block, at + 8), offsetOf(block, at + 32)];
  const address = block.readBigUInt64LE(at + 16);
  const isPossible = Number.isSafeInteger(offset + fileBytes);
  return {
    type: block.readUInt32LE(at),
    flags: block.readUInt32LE(at + 4),
    offset: isPossible ? offset : 0,
    address,
    fileBytes: isPossible ? fileBytes : 0,
    memoryBytes: block.readBigUInt64LE(at + 40),
  };
}

function offsetOf(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
