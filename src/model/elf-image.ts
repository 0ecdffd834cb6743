// An ELF file's program headers and notes: of a program, of a core, of a program's first page in a core. 32 and 64
// bits, both byte orders (elf(5)). Hostile input: what lies outside the bytes at hand is left out.

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
  readonly wordBytes: 4 | 8;
  private readonly littleEndian: boolean;

  private constructor(head: Buffer) {
    this.wordBytes = head[4] === 2 ? 8 : 4;
    this.littleEndian = head[5] === 1;
    const layout = this.wordBytes === 8 ? LAYOUT_64 : LAYOUT_32;
    const table = this.word(head, layout.tableAt);
    const count = this.u16(head, layout.countAt);
    this.segments = Array.from({ length: count }, (_, index) => table + index * layout.segmentBytes)
      .filter((at) => at + layout.segmentBytes <= head.length)
      .map((at) => ({
        type: this.u32(head, at),
        offset: this.word(head, at + layout.offset),
        address: this.word(head, at + layout.address),
        fileBytes: this.word(head, at + layout.fileBytes),
        alignBytes: this.word(head, at + layout.align),
      }));
  }

  /** Parses a file's first bytes; undefined where they are no ELF header. */
  static parse(head: Buffer): ElfImage | undefined {
    const isElf = head.length >= 64 && head.readUInt32BE(0) === 0x7f454c46;
    const isKnown = (head[4] === 1 || head[4] === 2) && (head[5] === 1 || head[5] === 2);
    return isElf && isKnown ? new ElfImage(head) : undefined;
  }

  /** Parses the bytes of a PT_NOTE segment. */
  notes(bytes: Buffer, alignBytes: number): ElfNote[] {
    const padded = (size: number) => Math.ceil(size / pad) * pad;
    const pad = alignBytes === 8 ? 8 : 4;
    const notes: ElfNote[] = [];
    for (let at = 0; at + 12 <= bytes.length;) {
      const nameEnd = at + 12 + this.u32(bytes, at);
      const start = at + padded(nameEnd - at);
      const end = start + this.u32(bytes, at + 4);
      if (end > bytes.length) break;
      const name = bytes.toString("latin1", at + 12, nameEnd).replace(/\0+$/, "");
      notes.push({ name, type: this.u32(bytes, at + 8), data: bytes.subarray(start, end) });
      at = start + padded(end - start);
    }
    return notes;
  }

  u16(bytes: Buffer, at: number): number {
    return this.littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }

  u32(bytes: Buffer, at: number): number {
    return this.littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  /** Reads an address or offset. Addresses of user space are exact; those of the kernel's half lose precision. */
  word(bytes: Buffer, at: number): number {
    if (this.wordBytes === 4) return this.u32(bytes, at);
    return Number(this.littleEndian ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  }
}

/** Returns the build-id in hex, by which the linker (ld --build-id) tells one build from another. */
export function buildIdOf(notes: readonly ElfNote[]): string | undefined {
  const note = notes.find(({ name, type }) => name === "GNU" && type === NT_GNU_BUILD_ID);
  return note === undefined || note.data.length === 0 ? undefined : note.data.toString("hex");
}
