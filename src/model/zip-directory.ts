// Reads a zip's directory from its last bytes: end records and central directory, ZIP64 included. Does not trust the
// bytes: checks every number against the file's length before it uses it. Source: PKWARE APPNOTE.TXT 4.3.12 (central
// header), 4.3.14-16 (end records), 4.5.3 (ZIP64 extra field).
import { AppError } from "./app-error.ts";

/** One entry, as the central directory describes it. */
export interface ZipEntry {
  name: string;
  /** The compression method: 0 is stored, 8 is deflated; others exist. */
  method: number;
  crc: number;
  sizeBytes: number;
  packedBytes: number;
  /** The offset at which its local header begins. */
  offset: number;
}

/** Where the central directory is. */
export interface DirectoryPlace {
  offset: number;
  sizeBytes: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const ZIP64_END = 0x06064b50;
const ZIP64_LOCATOR = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const IN_ZIP64 = 0xffff_ffff;
const ZIP64_EXTRA = 1;

/** The ZIP64 end record's length as far as it is read, in bytes. */
export const ZIP64_END_BYTES = 56;
/** A local header without name and extra fields, in bytes. */
export const LOCAL_BYTES = 30;
/** How much of a zip's end has to be read to find its directory: records and the longest comment. */
export const TAIL_BYTES = END_BYTES + ZIP64_LOCATOR_BYTES + 0xffff;
/** More than the directory of any dump (a pod of 1,000 containers), and harmless to read. */
export const DIRECTORY_MAX_BYTES = 64 * 1024 * 1024;

/**
 * Finds the directory from a file's last bytes, or the ZIP64 end record that has the directory's place. Throws AppError
 * "archive" for bytes that end no zip.
 */
export function parseZipTail(
  tail: Buffer,
  fileBytes: number,
): { directory: DirectoryPlace } | { zip64EndAt: number } {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END) continue;
    if (at + END_BYTES + tail.readUInt16LE(at + 20) !== tail.length) continue;
    const sizeBytes = tail.readUInt32LE(at + 12);
    const offset = tail.readUInt32LE(at + 16);
    const locator = at - ZIP64_LOCATOR_BYTES;
    if (locator >= 0 && tail.readUInt32LE(locator) === ZIP64_LOCATOR)
      return { zip64EndAt: inside(Number(tail.readBigUInt64LE(locator + 8)), fileBytes) };
    return { directory: checkPlace({ offset, sizeBytes }, fileBytes) };
  }
  throw new AppError("archive", "no end of a zip is found in it", {
    hint: "it is no zip, or was cut short on its way: fetch it again",
  });
}

/** Reads the directory's place from a ZIP64 end record. Throws AppError "archive" where it cannot be true. */
export function parseZip64End(record: Buffer, fileBytes: number): DirectoryPlace {
  if (record.length < ZIP64_END_BYTES || record.readUInt32LE(0) !== ZIP64_END)
    throw new AppError("archive", "its ZIP64 end record is damaged");
  const sizeBytes = Number(record.readBigUInt64LE(40));
  const offset = Number(record.readBigUInt64LE(48));
  return checkPlace({ offset, sizeBytes }, fileBytes);
}

function checkPlace(place: DirectoryPlace, fileBytes: number): DirectoryPlace {
  inside(place.offset + place.sizeBytes, fileBytes);
  if (place.sizeBytes > DIRECTORY_MAX_BYTES)
    throw new AppError("archive", `its directory claims ${place.sizeBytes} bytes`);
  return place;
}

/** Parses the directory and returns the entries in its order. Throws AppError "archive" for a damaged directory. */
export function parseCentralDirectory(directory: Buffer, fileBytes: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = 0; at < directory.length;) {
    if (at + CENTRAL_BYTES > directory.length || directory.readUInt32LE(at) !== CENTRAL)
      throw new AppError("archive", "its central directory is damaged");
    const nameEnd = at + CENTRAL_BYTES + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const wide = zip64Values(directory.subarray(nameEnd, extraEnd));
    // The ZIP64 field holds only the values that did not fit, in this order.
    const widen = (value: number) => (value === IN_ZIP64 ? (wide.shift() ?? value) : value);
    const sizeBytes = widen(directory.readUInt32LE(at + 24));
    const packedBytes = widen(directory.readUInt32LE(at + 20));
    const offset = widen(directory.readUInt32LE(at + 42));
    inside(offset + packedBytes, fileBytes);
    entries.push({
      name: directory.toString("utf8", at + CENTRAL_BYTES, nameEnd),
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      sizeBytes,
      packedBytes,
      offset,
    });
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/**
 * Returns the offset at which an entry's data begins, from its local header's first bytes. Throws AppError "archive"
 * for bytes that are no header.
 */
export function parseDataStart(header: Buffer, offset: number): number {
  if (header.length < LOCAL_BYTES || header.readUInt32LE(0) !== LOCAL)
    throw new AppError("archive", "an entry's header is damaged");
  return offset + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
}

function zip64Values(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === ZIP64_EXTRA) {
      const values: number[] = [];
      for (let value = at + 4; value + 8 <= Math.min(end, extra.length); value += 8)
        values.push(Number(extra.readBigUInt64LE(value)));
      return values;
    }
    at = end;
  }
  return [];
}

function inside(position: number, fileBytes: number): number {
  if (position > fileBytes) throw new AppError("archive", "it is shorter than its directory says");
  return position;
}
