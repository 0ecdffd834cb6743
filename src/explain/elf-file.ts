// Reads a mapped ELF program or library: its bytes by their own addresses (as it was linked), from its file where that
// is to be had, else from the memory of the process; its build-id, its package note, its sections.
import {
  parseElfHeader,
  PF_X,
  PT_GNU_EH_FRAME,
  PT_LOAD,
  PT_NOTE,
  type ElfHeader,
  type ProgramHeader,
} from "./elf-header.ts";
import { readNotes, untilNul } from "./elf-notes.ts";
import { MODULE_HEADERS_MAX, MODULE_NOTES_MAX, NOTE_SEGMENTS_MAX, SECTIONS_MAX } from "./limits.ts";
import { Malformed } from "./malformed.ts";
import type { RandomBytes } from "../model/random-bytes.ts";

const [NT_GNU_BUILD_ID, NT_FDO_PACKAGE] = [3, 0xcafe1a7e];
const SECTION_BYTES = 64;

/** One section header. */
export interface Section {
  type: number;
  address: bigint;
  offset: number;
  sizeBytes: number;
  /** The index of another section, as the type defines it. */
  link: number;
}

/** A mapped program or library. */
export class ElfFile {
  readonly header: ElfHeader;
  /** True where the bytes are laid out as in the file, sections and all; false for a picture in memory. */
  readonly isFile: boolean;
  private readonly bytes: RandomBytes;
  private readonly loads: ProgramHeader[];
  private named: ReadonlyMap<string, Section> | undefined;

  /** In memory, byte 0 is the image's lowest address. Throws Malformed. */
  constructor(bytes: RandomBytes, isFile: boolean) {
    this.bytes = bytes;
    this.isFile = isFile;
    this.header = parseElfHeader(bytes, MODULE_HEADERS_MAX);
    this.loads = this.header.segments.filter(({ type }) => type === PT_LOAD);
  }

  /** The address as linked at which byte 0 of the file is mapped. */
  get baseAddress(): bigint {
    const [first] = this.loads;
    return first === undefined ? 0n : first.address - BigInt(first.offset);
  }

  /** From the lowest to the highest address, in bytes. */
  get spanBytes(): bigint {
    const ends = this.loads.map(({ address, memoryBytes }) => address + memoryBytes);
    const last = ends.reduce((highest, end) => (end > highest ? end : highest), 0n);
    return BigInt.asUintN(64, last - this.baseAddress);
  }

  get frameHeader(): ProgramHeader | undefined {
    return this.header.segments.find(({ type }) => type === PT_GNU_EH_FRAME);
  }

  /** Returns whether its own code may lie at an address as linked. */
  isExecutable(address: bigint): boolean {
    return this.loads.some(
      (load) =>
        (load.flags & PF_X) !== 0 &&
        address >= load.address &&
        address < load.address + load.memoryBytes,
    );
  }

  /** Reads bytes at an address as linked; fewer where they end. */
  read(address: bigint, sizeBytes: number): Buffer {
    if (!this.isFile) {
      const offset = BigInt.asUintN(64, address - this.baseAddress);
      return offset > 0xffff_ffffn ? Buffer.alloc(0) : this.bytes.read(Number(offset), sizeBytes);
    }
    const load = this.loads.find(
      (segment) =>
        address >= segment.address && address < segment.address + BigInt(segment.fileBytes),
    );
    if (load === undefined) return Buffer.alloc(0);
    const offset = Number(address - load.address);
    return this.bytes.read(load.offset + offset, Math.min(sizeBytes, load.fileBytes - offset));
  }

  /** Reads exactly so many bytes. Throws Malformed where there are fewer. */
  take(address: bigint, sizeBytes: number): Buffer {
    const found = this.read(address, sizeBytes);
    if (found.length < sizeBytes) throw new Malformed("an address leads out of its file");
    return found;
  }

  /** Reads bytes at an offset of the file; none of a picture in memory, whose offsets are others. */
  readFile(offset: number, sizeBytes: number): Buffer {
    return this.isFile ? this.bytes.read(offset, sizeBytes) : Buffer.alloc(0);
  }

  /** In hexadecimal; null where there is none. */
  get buildId(): string | null {
    return this.note("GNU", NT_GNU_BUILD_ID, 64)?.toString("hex") ?? null;
  }

  /** What a distribution's packager wrote into the file (systemd's package metadata): JSON. */
  get packageNote(): string | null {
    const text = this.note("FDO", NT_FDO_PACKAGE, 4096);
    return text === undefined ? null : untilNul(text);
  }

  private note(owner: string, type: number, maxBytes: number): Buffer | undefined {
    const segments = this.header.segments.filter((segment) => segment.type === PT_NOTE);
    for (const segment of segments.slice(0, NOTE_SEGMENTS_MAX)) {
      const start = this.isFile ? segment.offset : Number(segment.address - this.baseAddress);
      for (const note of readNotes(this.bytes, start, segment.fileBytes, MODULE_NOTES_MAX))
        if (note.owner === owner && note.type === type) return note.data(maxBytes);
    }
    return undefined;
  }

  /** By name; a file without section headers has none. */
  get sections(): ReadonlyMap<string, Section> {
    this.named ??= this.isFile ? this.readSections() : new Map<string, Section>();
    return this.named;
  }

  /** Returns the section that another one's link names. */
  sectionAt(index: number): Section | undefined {
    const { offset, count } = this.header.sections;
    if (index >= count) return undefined;
    const bytes = this.bytes.read(offset + index * SECTION_BYTES, SECTION_BYTES);
    return bytes.length < SECTION_BYTES ? undefined : parseSection(bytes);
  }

  private readSections(): Map<string, Section> {
    const { count, offset, namesIndex } = this.header.sections;
    const sections = new Map<string, Section>();
    const names = this.sectionAt(namesIndex);
    if (names === undefined) return sections;
    for (let index = 0; index < Math.min(count, SECTIONS_MAX); index++) {
      const bytes = this.bytes.read(offset + index * SECTION_BYTES, SECTION_BYTES);
      if (bytes.length < SECTION_BYTES) break;
      const name = untilNul(this.bytes.read(names.offset + bytes.readUInt32LE(0), 64), "latin1");
      if (!sections.has(name)) sections.set(name, parseSection(bytes));
    }
    return sections;
  }
}

function parseSection(bytes: Buffer): Section {
  const [offset, sizeBytes] = [
    Number(bytes.readBigUInt64LE(24)),
    Number(bytes.readBigUInt64LE(32)),
  ];
  const isPossible = Number.isSafeInteger(offset + sizeBytes);
  return {
    type: bytes.readUInt32LE(4),
    address: bytes.readBigUInt64LE(16),
    offset: isPossible ? offset : 0,
    sizeBytes: isPossible ? sizeBytes : 0,
    link: bytes.readUInt32LE(40),
  };
}
