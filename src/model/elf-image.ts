// An ELF file's program headers and notes: of a program, of a core, of a program's first page in a core. 32 and 64
// bits, both byte orders (elf(5)). Hostile input: what lies outside the bytes at hand is left out.

import { ElfBytes } from "./elf-bytes.ts";

/** p_type of a segment that is loaded into memory. */
export const PT_LOAD = 1;
/** p_type of a segment that holds notes. */
export const PT_NOTE = 4;
const NT_GNU_BUILD_ID = 3;

/** One program header. */
export interface ElfSegment {
  type: number;
  offset: number;
  /** The address in memory; in a program's file, the one that it was linked for. */
  address: number;
  fileBytes: number;
  alignBytes: number;
}

/** One note. */
export interface ElfNote {
  name: string;
  type: number;
  data: Buffer;
}

interface Layout {
  tableAt: number;
  countAt: number;
  segmentBytes: number;
  offset: number;
  address: number;
  fileBytes: number;
  align: number;
}

/** Where the fields of the header and of a program header stand. */
const LAYOUT_64: Layout = {
  tableAt: 32,
  countAt: 56,
  segmentBytes: 56,
  offset: 8,
  address: 16,
  fileBytes: 32,
  align: 48,
};
const LAYOUT_32: Layout = {
  tableAt: 28,
  countAt: 44,
  segmentBytes: 32,
  offset: 4,
  address: 8,
  fileBytes: 16,
  align: 28,
};

/** An ELF file's header and program headers. */
export class ElfImage {
  readonly segments: readonly ElfSegment[];
  /** e_type: ET_EXEC, ET_DYN, ET_CORE. */
  readonly type: number;
  private readonly head: ElfBytes;

  private constructor(head: ElfBytes) {
    this.head = head;
    this.type = head.u16(16);
    const layout = head.isWide ? LAYOUT_64 : LAYOUT_32;
    const table = wordAt(head, layout.tableAt);
    this.segments = Array.from(
      { length: head.u16(layout.countAt) },
      (_, index) => table + index * layout.segmentBytes,
    )
      .filter((at) => at + layout.segmentBytes <= head.length)
      .map((at) => ({
        type: head.u32(at),
        offset: wordAt(head, at + layout.offset),
        address: wordAt(head, at + layout.address),
        fileBytes: wordAt(head, at + layout.fileBytes),
        alignBytes: wordAt(head, at + layout.align),
      }));
  }

  /** Parses a file's first bytes; undefined where they are no ELF header. */
  static parse(head: Buffer): ElfImage | undefined {
    const bytes = head.length >= 64 ? ElfBytes.of(head) : undefined;
    return bytes === undefined ? undefined : new ElfImage(bytes);
  }

  /** Parses the bytes of a PT_NOTE segment. */
  notes(segment: Buffer, alignBytes: number): ElfNote[] {
    const padded = (size: number) => Math.ceil(size / pad) * pad;
    const pad = alignBytes === 8 ? 8 : 4;
    const bytes = this.head.like(segment);
    const notes: ElfNote[] = [];
    for (let at = 0; at + 12 <= bytes.length;) {
      const nameEnd = at + 12 + bytes.u32(at);
      const start = at + padded(nameEnd - at);
      const end = start + bytes.u32(at + 4);
      if (end > bytes.length) break;
      const name = segment.toString("latin1", at + 12, nameEnd).replace(/\0+$/, "");
      notes.push({ name, type: bytes.u32(at + 8), data: segment.subarray(start, end) });
      at = start + padded(end - start);
    }
    return notes;
  }
}

/** Addresses of user space are exact; those of the kernel's half lose precision. */
function wordAt(bytes: ElfBytes, at: number): number {
  return Number(bytes.word(at));
}

/** Returns the build-id in hex, by which the linker (ld --build-id) tells one build from another. */
export function buildIdOf(notes: readonly ElfNote[]): string | undefined {
  const note = notes.find(({ name, type }) => name === "GNU" && type === NT_GNU_BUILD_ID);
  return note === undefined || note.data.length === 0 ? undefined : note.data.toString("hex");
}
