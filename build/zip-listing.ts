// Lists a zip by its central directory, ZIP64 included, for the demo and the tests. It reads and judges
// nothing else: whether the data is sound is for unzip, zipfile and bsdtar to say.
// Source: APPNOTE.TXT 4.3.12 (central header), 4.3.14-16 (end records), 4.5.3 (ZIP64 extra field).
import { open, type FileHandle } from "node:fs/promises";

export interface ZipEntry {
  name: string;
  sizeBytes: number;
  packedBytes: number;
  /** Where its local header begins. */
  offset: number;
}

const END = 0x06054b50;
const ZIP64_LOCATOR = 0x07064b50;
const CENTRAL = 0x02014b50;
const IN_ZIP64 = 0xffffffff;
const ZIP64_EXTRA = 1;

/** The entries in the central directory's order. Throws on anything that is no zip without a comment. */
export async function listZip(path: string): Promise<ZipEntry[]> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const tail = await read(file, Math.max(0, size - 42), Math.min(42, size));
    const end = tail.length - 22;
    if (end < 0 || tail.readUInt32LE(end) !== END) throw new Error(`${path}: no end record`);
    let bytes = tail.readUInt32LE(end + 12);
    let offset = tail.readUInt32LE(end + 16);
    if (end === 20 && tail.readUInt32LE(0) === ZIP64_LOCATOR) {
      const record = await read(file, Number(tail.readBigUInt64LE(8)), 56);
      bytes = Number(record.readBigUInt64LE(40));
      offset = Number(record.readBigUInt64LE(48));
    }
    return [...parseCentralDirectory(await read(file, offset, bytes))];
  } finally {
    await file.close();
  }
}

function* parseCentralDirectory(directory: Buffer): Generator<ZipEntry> {
  for (let at = 0; at < directory.length;) {
    if (directory.readUInt32LE(at) !== CENTRAL) throw new Error("a broken central directory");
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const wide = zip64Values(directory.subarray(nameEnd, extraEnd));
    // The ZIP64 field holds only those values that did not fit, in this order.
    const widen = (value: number) => (value === IN_ZIP64 ? (wide.shift() ?? Number.NaN) : value);
    const sizeBytes = widen(directory.readUInt32LE(at + 24));
    const packedBytes = widen(directory.readUInt32LE(at + 20));
    const offset = widen(directory.readUInt32LE(at + 42));
    const name = directory.toString("utf8", at + 46, nameEnd);
    yield { name, sizeBytes, packedBytes, offset };
    at = extraEnd + directory.readUInt16LE(at + 32);
  }
}

function zip64Values(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const bytes = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === ZIP64_EXTRA)
      return Array.from({ length: Math.floor(bytes / 8) }, (_, i) =>
        Number(extra.readBigUInt64LE(at + 4 + i * 8)),
      );
    at += 4 + bytes;
  }
  return [];
}

async function read(file: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, position);
  if (bytesRead !== bytes) throw new Error("the zip ends early");
  return buffer;
}
