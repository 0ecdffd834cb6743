// Writes the ZIP records that fflate's Zip cannot write: local headers whose sizes are known only afterwards, ZIP64,
// and a central directory with both. Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.

/** The compression method of an entry that is not compressed. */
export const STORED = 0;
/** The compression method of a deflated entry. */
export const DEFLATED = 8;
/** The compression method of an entry that is one zstd frame. */
export const ZSTANDARD = 93;
/** The methods that dumps use. */
export type ZipMethod = typeof STORED | typeof DEFLATED | typeof ZSTANDARD;

/** What the central directory says about one entry. */
export interface ZipEntryRecord {
  name: string;
  method: ZipMethod;
  crc: number;
  sizeBytes: number;
  compressedBytes: number;
  /** The offset at which the local header starts in the file. */
  offset: number;
}

/** The first four bytes of a local header, as a little-endian number. */
export const LOCAL_SIGNATURE = 0x04034b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const END_SIGNATURE = 0x06054b50;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;

/** The length of a local header without name and extra fields, in bytes. */
export const LOCAL_FIXED_BYTES = 30;
const CENTRAL_FIXED_BYTES = 46;
const MAX_32 = 0xffff_ffff;
const MAX_16 = 0xffff;
const ZIP64_EXTRA_ID = 0x0001;
/** The id of the Open Packaging Convention's growth hint: filler that every reader skips. */
export const FILLER_EXTRA_ID = 0xa220;
const FILLER_SIGNATURE = 0xa028;
const UTF8_NAMES = 0x0800;
const VERSION_PLAIN = 20;
const VERSION_ZIP64 = 45;
const VERSION_ZSTANDARD = 63;
const MADE_ON_UNIX = 3 << 8;
/** A regular file, mode 0600. */
const UNIX_ATTRIBUTES = (0o100600 << 16) >>> 0;

/** The room for a local header whose name may still change and whose sizes may still need ZIP64, in bytes. */
export const HEADER_ROOM_BYTES = 512;

/** Returns a moment as a ZIP's DOS date and time, in UTC (years 1980 to 2107, steps of 2 s). */
export function dosTime(at: Date): number {
  const year = Math.min(Math.max(at.getUTCFullYear(), 1980), 2107);
  const date = ((year - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  return ((date << 16) | time) >>> 0;
}

/**
 * Writes a local header with crc and sizes, and so without a data descriptor. With roomBytes it is exactly that long,
 * and filler takes the rest. Throws RangeError when it does not fit.
 */
export function formatLocalHeader(
  entry: ZipEntryRecord,
  modified: Date,
  roomBytes = 0,
): Uint8Array {
  const name = new TextEncoder().encode(entry.name);
  const wide = entry.sizeBytes >= MAX_32 || entry.compressedBytes >= MAX_32;
  const zip64 = wide ? zip64Extra([entry.sizeBytes, entry.compressedBytes]) : new Uint8Array(0);
  const used = LOCAL_FIXED_BYTES + name.length + zip64.length;
  const filler = fillerExtra(roomBytes === 0 ? 0 : roomBytes - used);
  const record = new Record(used + filler.length);
  record.u32(LOCAL_SIGNATURE);
  record.u16(versionFor(entry.method, wide));
  record.u16(UTF8_NAMES);
  record.u16(entry.method);
  record.u32(dosTime(modified));
  record.u32(entry.crc);
  record.u32(wide ? MAX_32 : entry.compressedBytes);
  record.u32(wide ? MAX_32 : entry.sizeBytes);
  record.u16(name.length);
  record.u16(zip64.length + filler.length);
  record.bytes(name);
  record.bytes(zip64);
  record.bytes(filler);
  return record.data;
}

/** Writes the central directory and its end records, for a directory that starts at `offset` in the file. */
export function formatCentralDirectory(
  entries: readonly ZipEntryRecord[],
  modified: Date,
  offset: number,
): Uint8Array {
  const headers = entries.map((entry) => formatCentralHeader(entry, modified));
  const sizeBytes = headers.reduce((sum, header) => sum + header.length, 0);
  const wide = entries.length >= MAX_16 || sizeBytes >= MAX_32 || offset >= MAX_32;
  const end = new Record((wide ? 56 + 20 : 0) + 22);
  if (wide) {
    end.u32(ZIP64_END_SIGNATURE);
    end.u64(44);
    end.u16(MADE_ON_UNIX | VERSION_ZIP64);
    end.u16(VERSION_ZIP64);
    end.u32(0);
    end.u32(0);
    end.u64(entries.length);
    end.u64(entries.length);
    end.u64(sizeBytes);
    end.u64(offset);
    end.u32(ZIP64_LOCATOR_SIGNATURE);
    end.u32(0);
    end.u64(offset + sizeBytes);
    end.u32(1);
  }
  end.u32(END_SIGNATURE);
  end.u16(0);
  end.u16(0);
  end.u16(wide ? MAX_16 : entries.length);
  end.u16(wide ? MAX_16 : entries.length);
  end.u32(wide ? MAX_32 : sizeBytes);
  end.u32(wide ? MAX_32 : offset);
  end.u16(0);
  return concat([...headers, end.data]);
}

/** Returns the version of the format that a reader must know (section 4.4.3). */
function versionFor(method: ZipMethod, wide: boolean): number {
  if (method === ZSTANDARD) return VERSION_ZSTANDARD;
  return wide ? VERSION_ZIP64 : VERSION_PLAIN;
}

function formatCentralHeader(entry: ZipEntryRecord, modified: Date): Uint8Array {
  const name = new TextEncoder().encode(entry.name);
  const fields = [entry.sizeBytes, entry.compressedBytes, entry.offset];
  const tooWide = fields.filter((field) => field >= MAX_32);
  const zip64 = tooWide.length > 0 ? zip64Extra(tooWide) : new Uint8Array(0);
  const version = versionFor(entry.method, tooWide.length > 0);
  const record = new Record(CENTRAL_FIXED_BYTES + name.length + zip64.length);
  record.u32(CENTRAL_SIGNATURE);
  record.u16(MADE_ON_UNIX | version);
  record.u16(version);
  record.u16(UTF8_NAMES);
  record.u16(entry.method);
  record.u32(dosTime(modified));
  record.u32(entry.crc);
  record.u32(Math.min(entry.compressedBytes, MAX_32));
  record.u32(Math.min(entry.sizeBytes, MAX_32));
  record.u16(name.length);
  record.u16(zip64.length);
  record.u16(0);
  record.u16(0);
  record.u16(0);
  record.u32(UNIX_ATTRIBUTES);
  record.u32(Math.min(entry.offset, MAX_32));
  record.bytes(name);
  record.bytes(zip64);
  return record.data;
}

/** Writes the values that overflow as 64 bits each, in the order size, compressed size, offset (APPNOTE 4.5.3). */
function zip64Extra(values: readonly number[]): Uint8Array {
  const record = new Record(4 + values.length * 8);
  record.u16(ZIP64_EXTRA_ID);
  record.u16(values.length * 8);
  for (const value of values) record.u64(value);
  return record.data;
}

/** Makes filler of exactly lengthBytes: 0, or from 8 up to what an extra field can hold. */
export function fillerExtra(lengthBytes: number): Uint8Array {
  if (lengthBytes === 0) return new Uint8Array(0);
  if (lengthBytes < 8 || lengthBytes - 4 > MAX_16)
    throw new RangeError(`no filler of ${lengthBytes} bytes`);
  const record = new Record(lengthBytes);
  record.u16(FILLER_EXTRA_ID);
  record.u16(lengthBytes - 4);
  record.u16(FILLER_SIGNATURE);
  return record.data;
}

/** Joins byte arrays into one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Collects little-endian fields, one after the other. */
class Record {
  readonly data: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(lengthBytes: number) {
    this.data = new Uint8Array(lengthBytes);
    this.view = new DataView(this.data.buffer);
  }

  u16(value: number): void {
    this.view.setUint16(this.at, value, true);
    this.at += 2;
  }

  u32(value: number): void {
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  u64(value: number): void {
    this.view.setBigUint64(this.at, BigInt(value), true);
    this.at += 8;
  }

  bytes(value: Uint8Array): void {
    this.data.set(value, this.at);
    this.at += value.length;
  }
}
