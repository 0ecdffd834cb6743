// Reads numbers from an ELF file's bytes, in the width and byte order that its identity names (elf(5), e_ident). A
// read beyond the end throws RangeError, so a caller checks the length first.

const MAGIC = 0x7f454c46;
const [CLASS_32, CLASS_64] = [1, 2] as const;
const [LITTLE_ENDIAN, BIG_ENDIAN] = [1, 2] as const;

/** Bytes of an ELF file that know their width and byte order. */
export class ElfBytes {
  readonly buffer: Buffer;
  /** True for 64 bits, false for 32. */
  readonly isWide: boolean;
  private readonly isLittle: boolean;

  private constructor(buffer: Buffer, isWide: boolean, isLittle: boolean) {
    this.buffer = buffer;
    this.isWide = isWide;
    this.isLittle = isLittle;
  }

  /** Wraps a file's first bytes; undefined where they begin no ELF file. */
  static of(head: Buffer): ElfBytes | undefined {
    if (head.length < 16 || head.readUInt32BE(0) !== MAGIC) return undefined;
    const [width, order] = [head[4], head[5]];
    if (width !== CLASS_32 && width !== CLASS_64) return undefined;
    if (order !== LITTLE_ENDIAN && order !== BIG_ENDIAN) return undefined;
    return new ElfBytes(head, width === CLASS_64, order === LITTLE_ENDIAN);
  }

  /** Wraps other bytes of the same file, or of the process that it is a core of. */
  like(buffer: Buffer): ElfBytes {
    return new ElfBytes(buffer, this.isWide, this.isLittle);
  }

  get length(): number {
    return this.buffer.length;
  }

  /** The size of an address, an offset or a size: 8 or 4. */
  get wordBytes(): number {
    return this.isWide ? 8 : 4;
  }

  /** Returns the bytes from start to end, or fewer where they end earlier. */
  part(start: number, end: number): ElfBytes {
    return this.like(this.buffer.subarray(start, end));
  }

  u16(at: number): number {
    return this.isLittle ? this.buffer.readUInt16LE(at) : this.buffer.readUInt16BE(at);
  }

  u32(at: number): number {
    return this.isLittle ? this.buffer.readUInt32LE(at) : this.buffer.readUInt32BE(at);
  }

  word(at: number): bigint {
    if (!this.isWide) return BigInt(this.u32(at));
    return this.isLittle ? this.buffer.readBigUInt64LE(at) : this.buffer.readBigUInt64BE(at);
  }
}
