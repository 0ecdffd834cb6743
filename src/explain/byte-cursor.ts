// Reads little-endian numbers one after the other and throws Malformed where the bytes end: DWARF's encodings
// too (DWARF 5, section 7.6; the pointer encodings of the Linux Standard Base, section 10.5).
import { Malformed } from "./malformed.ts";

/** A 64-bit number in seven bits a byte. */
const LEB_MAX_BYTES = 10;

export const ENCODING_OMITTED = 0xff;
const [RELATIVE_TO_ITSELF, RELATIVE_TO_DATA] = [0x10, 0x30];

/** A position in some bytes. Every read throws Malformed beyond their end. */
export class ByteCursor {
  at = 0;
  readonly bytes: Buffer;
  /** The address of the first byte, for pointers that are relative to themselves. */
  readonly address: bigint;

  constructor(bytes: Buffer, address = 0n) {
    this.bytes = bytes;
    this.address = address;
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  u8(): number {
    return this.bytes.readUInt8(this.take(1));
  }

  i8(): number {
    return this.bytes.readInt8(this.take(1));
  }

  u16(): number {
    return this.bytes.readUInt16LE(this.take(2));
  }

  i16(): number {
    return this.bytes.readInt16LE(this.take(2));
  }

  u32(): number {
    return this.bytes.readUInt32LE(this.take(4));
  }

  i32(): number {
    return this.bytes.readInt32LE(this.take(4));
  }

  u64(): bigint {
    return this.bytes.readBigUInt64LE(this.take(8));
  }

  i64(): bigint {
    return this.bytes.readBigInt64LE(this.take(8));
  }

  uleb(): bigint {
    let value = 0n;
    for (let index = 0; index < LEB_MAX_BYTES; index++) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << BigInt(index * 7);
      if ((byte & 0x80) === 0) return value;
    }
    throw new Malformed("a LEB128 number has more than 64 bits");
  }

  sleb(): bigint {
    let value = 0n;
    for (let index = 0; index < LEB_MAX_BYTES; index++) {
      const byte = this.u8();
      const bits = BigInt((index + 1) * 7);
      value |= BigInt(byte & 0x7f) << (bits - 7n);
      if ((byte & 0x80) === 0) return (byte & 0x40) === 0 ? value : value - (1n << bits);
    }
    throw new Malformed("a LEB128 number has more than 64 bits");
  }

  /** Reads a ULEB128 that counts or numbers something small. */
  count(): number {
    const value = this.uleb();
    if (value > 0xffff_ffffn) throw new Malformed("a count is out of bounds");
    return Number(value);
  }

  /** Reads the next bytes as they are. */
  slice(sizeBytes: number): Buffer {
    const start = this.take(sizeBytes);
    return this.bytes.subarray(start, start + sizeBytes);
  }

  skip(sizeBytes: number): void {
    this.take(sizeBytes);
  }

  /** Reads a text up to its NUL and passes the NUL. */
  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end === -1) throw new Malformed("a text has no end");
    const text = this.bytes.toString("latin1", this.at, end);
    this.at = end + 1;
    return text;
  }

  /** Reads a pointer as .eh_frame encodes it; 0 stays 0. */
  pointer(encoding: number, dataAddress: bigint): bigint {
    if (encoding === ENCODING_OMITTED) return 0n;
    const place = this.address + BigInt(this.at);
    const value = this.encoded(encoding & 0x0f);
    if (value === 0n) return 0n;
    switch (encoding & 0x70) {
      case 0:
        return BigInt.asUintN(64, value);
      case RELATIVE_TO_ITSELF:
        return BigInt.asUintN(64, value + place);
      case RELATIVE_TO_DATA:
        return BigInt.asUintN(64, value + dataAddress);
      default:
        throw new Malformed("a pointer is encoded in an unknown way");
    }
  }

  private encoded(format: number): bigint {
    switch (format) {
      case 0x00:
      case 0x04:
        return this.u64();
      case 0x01:
        return this.uleb();
      case 0x02:
        return BigInt(this.u16());
      case 0x03:
        return BigInt(this.u32());
      case 0x09:
        return this.sleb();
      case 0x0a:
        return BigInt(this.i16());
      case 0x0b:
        return BigInt(this.i32());
      case 0x0c:
        return this.i64();
      default:
        throw new Malformed("a pointer is encoded in an unknown way");
    }
  }

  private take(sizeBytes: number): number {
    const start = this.at;
    if (sizeBytes < 0 || start + sizeBytes > this.bytes.length)
      throw new Malformed("it is cut short");
    this.at = start + sizeBytes;
    return start;
  }
}
