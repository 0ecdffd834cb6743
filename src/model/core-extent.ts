// Reads from a core's first bytes, as they pass, how long the core must be. A core is complete if it reaches the end
// of its last segment, max(p_offset + p_filesz). With PN_XNUM (65,535 segments or more) their number stands in a
// section header at the very end, which is then the end. Source: elf(5), fs/binfmt_elf.c.

import { CoreNoteTypes } from "./core-note-types.ts";

const MAGIC = [0x7f, 0x45, 0x4c, 0x46] as const;
const CLASS_32 = 1;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const BIG_ENDIAN = 2;
const ET_CORE = 4;
const PT_NOTE = 4;
const PN_XNUM = 0xffff;

interface Layout {
  headerBytes: number;
  segmentBytes: number;
  sectionBytes: number;
}

const LAYOUT_64: Layout = { headerBytes: 64, segmentBytes: 56, sectionBytes: 64 };
const LAYOUT_32: Layout = { headerBytes: 52, segmentBytes: 32, sectionBytes: 40 };

/** Takes a core's bytes from the first on, in pieces of any size, and keeps at most one header of them. */
export class ElfCoreReader {
  private state: "identify" | "header" | "segments" | "known" | "not_elf" = "identify";
  private carry = new Uint8Array(0);
  private view = new DataView(new ArrayBuffer(0));
  private position = 0;
  private layout = LAYOUT_64;
  private littleEndian = true;
  private segmentsOffset = 0;
  private segmentsLeft = 0;
  private endBytes = 0;
  private seenBytes = 0;
  private notes: CoreNoteTypes | undefined;

  get format(): "elf" | "unknown" {
    return this.state === "identify" || this.state === "not_elf" ? "unknown" : "elf";
  }

  /**
   * The length in bytes of the complete core; null before the headers have passed, and for input that is no ELF core.
   */
  get expectedBytes(): number | null {
    return this.state === "known" && Number.isSafeInteger(this.endBytes) ? this.endBytes : null;
  }

  /** True once later bytes cannot change the result. */
  get isSettled(): boolean {
    return this.state === "known" || this.state === "not_elf";
  }

  /** True where the kernel left out the list of mapped files (core-note-types.ts). */
  get lacksFiles(): boolean {
    return this.notes?.lacksFiles === true;
  }

  push(bytes: Uint8Array): void {
    this.readTable(bytes);
    this.notes?.push(bytes, this.seenBytes);
    this.seenBytes += bytes.length;
  }

  private readTable(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0 && this.state !== "known" && this.state !== "not_elf") {
      const skip = this.state === "segments" ? Math.max(0, this.segmentsOffset - this.position) : 0;
      if (skip > 0 && this.carry.length === 0) {
        const skipped = Math.min(skip, rest.length);
        this.position += skipped;
        rest = rest.subarray(skipped);
        continue;
      }
      rest = this.fill(rest);
    }
  }

  /** Adds to the carry until a whole piece is there, then reads it; returns what is left over. */
  private fill(bytes: Uint8Array): Uint8Array {
    const wanted = this.pieceBytes() - this.carry.length;
    const taken = bytes.subarray(0, wanted);
    const joined = new Uint8Array(this.carry.length + taken.length);
    joined.set(this.carry);
    joined.set(taken, this.carry.length);
    this.carry = joined;
    this.position += taken.length;
    if (taken.length === wanted) this.readPiece();
    return bytes.subarray(taken.length);
  }

  private pieceBytes(): number {
    if (this.state === "identify") return 16;
    return this.state === "header" ? this.layout.headerBytes : this.layout.segmentBytes;
  }

  private readPiece(): void {
    this.view = new DataView(this.carry.buffer);
    if (this.state === "identify") {
      this.readIdentity();
      return; // the identity is the first part of the header and stays in the carry
    }
    if (this.state === "header") this.readHeader();
    else this.readSegment();
    this.carry = new Uint8Array(0);
  }

  private readIdentity(): void {
    const [width, order] = [this.carry[4], this.carry[5]];
    const isElf =
      MAGIC.every((byte, index) => this.carry[index] === byte) &&
      (width === CLASS_32 || width === CLASS_64) &&
      (order === LITTLE_ENDIAN || order === BIG_ENDIAN);
    this.layout = width === CLASS_64 ? LAYOUT_64 : LAYOUT_32;
    this.littleEndian = order === LITTLE_ENDIAN;
    this.state = isElf ? "header" : "not_elf";
  }

  private readHeader(): void {
    const wide = this.layout === LAYOUT_64;
    const type = this.u16(16);
    this.segmentsOffset = wide ? this.u64(32) : this.u32(28);
    const sectionsOffset = wide ? this.u64(40) : this.u32(32);
    const segmentBytes = this.u16(wide ? 54 : 42);
    const segments = this.u16(wide ? 56 : 44);
    if (
      type !== ET_CORE ||
      segmentBytes !== this.layout.segmentBytes ||
      this.segmentsOffset < this.layout.headerBytes
    ) {
      this.state = "not_elf";
    } else if (segments === PN_XNUM) {
      this.endBytes = sectionsOffset + this.layout.sectionBytes;
      this.state = "known";
    } else {
      this.segmentsLeft = segments;
      this.endBytes = this.segmentsOffset + segments * this.layout.segmentBytes;
      this.state = segments === 0 ? "known" : "segments";
    }
  }

  private readSegment(): void {
    const wide = this.layout === LAYOUT_64;
    const offset = wide ? this.u64(8) : this.u32(4);
    const fileBytes = wide ? this.u64(32) : this.u32(16);
    this.segmentsOffset += this.layout.segmentBytes;
    if (fileBytes > 0) this.endBytes = Math.max(this.endBytes, offset + fileBytes);
    if (this.u32(0) === PT_NOTE)
      this.notes ??= new CoreNoteTypes({ offset, sizeBytes: fileBytes }, this.littleEndian);
    this.segmentsLeft--;
    if (this.segmentsLeft === 0) this.state = "known";
  }

  private u16(at: number): number {
    return this.view.getUint16(at, this.littleEndian);
  }

  private u32(at: number): number {
    return this.view.getUint32(at, this.littleEndian);
  }

  private u64(at: number): number {
    return Number(this.view.getBigUint64(at, this.littleEndian));
  }
}
