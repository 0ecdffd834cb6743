import { describe, expect, test } from "bun:test";
import {
  parseCentralDirectory,
  parseDataStart,
  parseZip64End,
  parseZipTail,
} from "../../../src/model/zip-directory.ts";
import { formatCentralDirectory, type ZipEntryRecord } from "../../../src/model/zip-records.ts";

const entry = (fields: Partial<ZipEntryRecord>): ZipEntryRecord => ({
  name: "a.core",
  method: 8,
  crc: 0x12345678,
  sizeBytes: 10,
  compressedBytes: 5,
  offset: 0,
  ...fields,
});

/** A file that is nothing but a directory at `offset`: only positions count here. */
function directoryOf(entries: ZipEntryRecord[], offset: number) {
  const bytes = Buffer.from(formatCentralDirectory(entries, new Date(0), offset));
  return { bytes, fileBytes: offset + bytes.length };
}

describe("the end of a zip", () => {
  test("a small zip's directory is found, a comment behind it or not", () => {
    const { bytes, fileBytes } = directoryOf([entry({})], 100);
    const plain = parseZipTail(bytes, fileBytes);
    const comment = Buffer.from("hello PK\x05\x06 there");
    const commented = Buffer.concat([bytes, comment]);
    commented.writeUInt16LE(comment.length, bytes.length - 2);

    expect(plain).toEqual({ directory: { offset: 100, sizeBytes: bytes.length - 22 } });
    expect(parseZipTail(commented, fileBytes + comment.length)).toEqual(plain);
  });

  test("sizes and offsets over 4 GiB come back as they were", () => {
    const small = entry({ sizeBytes: 5e9 });
    const large = entry({ sizeBytes: 6e9, compressedBytes: 5e9, offset: 4.5e9 });
    const { bytes, fileBytes } = directoryOf([small, large], 9.6e9);
    const found = parseZipTail(bytes, fileBytes);
    if (!("zip64EndAt" in found)) throw new Error("ZIP64 was not noticed");
    const place = parseZip64End(bytes.subarray(found.zip64EndAt - 9.6e9), fileBytes);
    const directory = bytes.subarray(place.offset - 9.6e9, place.offset - 9.6e9 + place.sizeBytes);

    expect(parseCentralDirectory(directory, fileBytes)).toEqual([
      { name: "a.core", method: 8, crc: 0x12345678, sizeBytes: 5e9, packedBytes: 5, offset: 0 },
      {
        name: "a.core",
        method: 8,
        crc: 0x12345678,
        sizeBytes: 6e9,
        packedBytes: 5e9,
        offset: 4.5e9,
      },
    ]);
  });

  test.each([
    ["no zip at all", Buffer.from("not a zip, whatever its name says")],
    ["nothing", Buffer.alloc(0)],
    ["the first half of a zip", directoryOf([entry({})], 0).bytes.subarray(0, 40)],
  ])("%s is refused", (_, bytes) => {
    expect(() => parseZipTail(bytes, bytes.length)).toThrow("no end of a zip");
  });

  test("a directory that claims to lie outside the file is refused", () => {
    const { bytes } = directoryOf([entry({})], 5000);
    expect(() => parseZipTail(bytes, 200)).toThrow("shorter than its directory says");
  });

  test("an entry that claims more than the file has is refused", () => {
    const { bytes, fileBytes } = directoryOf([entry({ compressedBytes: 1e6 })], 100);
    const directory = bytes.subarray(0, bytes.length - 22);
    expect(() => parseCentralDirectory(directory, fileBytes)).toThrow("shorter");
  });

  test("a directory cut in the middle of an entry is refused", () => {
    const { bytes, fileBytes } = directoryOf([entry({}), entry({})], 100);
    expect(() => parseCentralDirectory(bytes.subarray(0, 70), fileBytes)).toThrow("damaged");
  });

  test("a local header that is none is refused", () => {
    expect(() => parseDataStart(Buffer.alloc(30), 0)).toThrow("damaged");
  });
});
