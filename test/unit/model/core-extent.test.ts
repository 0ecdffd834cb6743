import { expect, test } from "bun:test";
import { ElfCoreReader } from "../../../src/model/core-extent.ts";
import { elfHead, type ElfShape } from "../../support/elf-head.ts";

/** Reads a core's head in pieces of one size. */
function read(bytes: Uint8Array, pieceBytes = bytes.length) {
  const reader = new ElfCoreReader();
  for (let at = 0; at < bytes.length; at += pieceBytes)
    reader.push(bytes.subarray(at, at + pieceBytes));
  return { format: reader.format, expectedBytes: reader.expectedBytes };
}

const SEGMENTS = [
  { offset: 4096, fileBytes: 100 },
  { offset: 8192, fileBytes: 5000 },
  { offset: 20_000, fileBytes: 0 },
  { offset: 5000, fileBytes: 1 },
];

for (const bits of [32, 64] as const)
  for (const order of ["little", "big"] as const) {
    const shape: ElfShape = { bits, order, segments: SEGMENTS };

    test(`${bits} bits, ${order}-endian: the core ends where its last segment's data ends`, () => {
      expect(read(elfHead(shape))).toEqual({ format: "elf", expectedBytes: 13_192 });
    });

    test(`${bits} bits, ${order}-endian: the size of the pieces does not matter`, () => {
      const head = elfHead({ ...shape, tableOffset: 200 });
      for (const pieceBytes of [1, 2, 3, 7, 15, 16, 17, 63, 64, 65, 100, 199])
        expect(read(head, pieceBytes)).toEqual({ format: "elf", expectedBytes: 13_192 });
    });

    test(`${bits} bits, ${order}-endian: with PN_XNUM it ends after the section header`, () => {
      const head = elfHead({ ...shape, segmentCount: 0xffff, sectionsOffset: 1_000_000 });
      const sectionBytes = bits === 64 ? 64 : 40;
      expect(read(head)).toEqual({ format: "elf", expectedBytes: 1_000_000 + sectionBytes });
    });

    test(`${bits} bits, ${order}-endian: cut anywhere in its headers it has no known length`, () => {
      const head = elfHead(shape);
      for (let length = 16; length < head.length; length++)
        expect(read(head.subarray(0, length))).toEqual({ format: "elf", expectedBytes: null });
    });
  }

test("65,534 segments are read one by one", () => {
  const segments = Array.from({ length: 65_534 }, (_, i) => ({
    offset: i * 4096,
    fileBytes: 4096,
  }));
  const head = elfHead({ bits: 64, order: "little", segments });
  expect(read(head, 65_536)).toEqual({ format: "elf", expectedBytes: 65_534 * 4096 });
});

test("a core of segments without data ends with its headers", () => {
  const segments = [{ offset: 1_000_000, fileBytes: 0 }];
  expect(read(elfHead({ bits: 64, order: "little", segments })).expectedBytes).toBe(64 + 56);
  expect(read(elfHead({ bits: 64, order: "little", segments: [] })).expectedBytes).toBe(64);
});

test("more than 4 GiB is a length like any other; more than 2^53 is none", () => {
  const at = (offset: number | bigint) =>
    read(elfHead({ bits: 64, order: "little", segments: [{ offset, fileBytes: 10 }] }));
  expect(at(2 ** 40).expectedBytes).toBe(2 ** 40 + 10);
  expect(at(2n ** 64n - 1n)).toEqual({ format: "elf", expectedBytes: null });
});

test.each([
  ["nothing", ""],
  ["one byte", "\x7f"],
  ["a magic alone", "\x7fELF"],
  ["a text", "this is no core at all, but long enough to be one ................."],
  ["zeros", "\0".repeat(200)],
])("%s is no ELF", (_, text) => {
  expect(read(Buffer.from(text, "latin1"))).toEqual({ format: "unknown", expectedBytes: null });
});

test("an ELF that is no core, or a strange one, is not believed", () => {
  const good = elfHead({ bits: 64, order: "little", segments: SEGMENTS });
  const changed = (at: number, value: number) => {
    const head = Buffer.from(good);
    head[at] = value;
    return read(head).format;
  };
  expect(changed(16, 2)).toBe("unknown"); // ET_EXEC
  expect(changed(4, 3)).toBe("unknown"); // a class that does not exist
  expect(changed(5, 0)).toBe("unknown"); // no byte order
  expect(changed(54, 32)).toBe("unknown"); // program headers of another size
  expect(changed(32, 1)).toBe("unknown"); // program headers within the header
});

test("headers that lie far away are waited for, without keeping what comes before", () => {
  const head = elfHead({ bits: 64, order: "little", segments: SEGMENTS, tableOffset: 3_000_000 });
  expect(read(head, 4096)).toEqual({ format: "elf", expectedBytes: 3_000_000 + 4 * 56 });
});
