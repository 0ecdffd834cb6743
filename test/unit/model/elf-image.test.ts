import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { buildIdOf, ElfImage, PT_LOAD, PT_NOTE } from "../../../src/model/elf-image.ts";

/** A program of one PT_NOTE with a build id, in either width and byte order. */
function image(wide: boolean, little: boolean, buildId = "abcd1234"): Buffer {
  const bytes = Buffer.alloc(256);
  const u16 = (value: number, at: number) =>
    little ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at);
  const u32 = (value: number, at: number) =>
    little ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at);
  const word = (value: number, at: number) => {
    if (!wide) u32(value, at);
    else if (little) bytes.writeBigUInt64LE(BigInt(value), at);
    else bytes.writeBigUInt64BE(BigInt(value), at);
  };
  bytes.write("\x7fELF", "latin1");
  bytes[4] = wide ? 2 : 1;
  bytes[5] = little ? 1 : 2;
  word(64, wide ? 32 : 28);
  u16(1, wide ? 56 : 44);
  u32(PT_NOTE, 64);
  word(160, 64 + (wide ? 8 : 4));
  word(12 + 4 + buildId.length / 2, 64 + (wide ? 32 : 16));
  u32(4, 160);
  u32(buildId.length / 2, 164);
  u32(3, 168);
  bytes.write("GNU\0", 172, "latin1");
  bytes.write(buildId, 176, "hex");
  return bytes;
}

function buildIdIn(bytes: Buffer): string | undefined {
  const elf = ElfImage.parse(bytes);
  const [segment] = elf?.segments ?? [];
  if (elf === undefined || segment === undefined) return undefined;
  const { offset, fileBytes, alignBytes } = segment;
  return buildIdOf(elf.notes(bytes.subarray(offset, offset + fileBytes), alignBytes));
}

for (const wide of [true, false])
  for (const little of [true, false])
    test(`a build id of ${wide ? 64 : 32} bits, ${little ? "little" : "big"}-endian, is read`, () => {
      expect(buildIdIn(image(wide, little))).toBe("abcd1234");
    });

test("a real program has segments in memory", () => {
  const elf = ElfImage.parse(readFileSync(process.execPath).subarray(0, 1 << 16));
  expect(elf?.segments.some(({ type }) => type === PT_LOAD)).toBe(true);
});

test("what is no ELF file, or ends early, tells nothing and throws nothing", () => {
  expect(ElfImage.parse(Buffer.from("#!/bin/sh\n".padEnd(100)))).toBeUndefined();
  const whole = image(true, true);
  for (let length = 0; length < whole.length; length++)
    expect(() => buildIdIn(whole.subarray(0, length))).not.toThrow();
});

test("bytes changed at random throw nothing and end", () => {
  for (let round = 0; round < 5000; round++) {
    const bytes = image(round % 2 === 0, round % 3 === 0);
    for (let change = 0; change < 4; change++)
      bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256);
    expect(() => buildIdIn(bytes)).not.toThrow();
  }
});
