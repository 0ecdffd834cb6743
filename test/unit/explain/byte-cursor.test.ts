import { expect, test } from "bun:test";
import { ByteCursor } from "../../../src/explain/byte-cursor.ts";
import { Malformed } from "../../../src/explain/malformed.ts";

const cursor = (hex: string, address = 0n) => new ByteCursor(Buffer.from(hex, "hex"), address);

test("LEB128 numbers are read as DWARF writes them", () => {
  // DWARF 5, appendix C: examples.
  expect(cursor("02").uleb()).toBe(2n);
  expect(cursor("7f").uleb()).toBe(127n);
  expect(cursor("8001").uleb()).toBe(128n);
  expect(cursor("b96406").uleb()).toBe(12857n);
  expect(cursor("7e").sleb()).toBe(-2n);
  expect(cursor("ff00").sleb()).toBe(127n);
  expect(cursor("817f").sleb()).toBe(-127n);
  expect(cursor("807f").sleb()).toBe(-128n);
});

test("a LEB128 number without an end is malformed", () => {
  expect(() => cursor("ff".repeat(11)).uleb()).toThrow(Malformed);
  expect(() => cursor("ff".repeat(3)).uleb()).toThrow(Malformed);
  expect(() => cursor("80".repeat(64)).sleb()).toThrow(Malformed);
});

test("pointers are relative to themselves or to the data", () => {
  expect(cursor("fcffffff", 0x1000n).pointer(0x1b, 0n)).toBe(0xffcn);
  expect(cursor("10000000").pointer(0x3b, 0x2000n)).toBe(0x2010n);
  expect(cursor("00000000", 0x1000n).pointer(0x1b, 0n)).toBe(0n);
  expect(cursor("").pointer(0xff, 0n)).toBe(0n);
  expect(() => cursor("0000000000000000").pointer(0x5f, 0n)).toThrow(Malformed);
});

test("reading past the end is malformed", () => {
  expect(() => cursor("0102").u32()).toThrow(Malformed);
  expect(() => cursor("01").slice(2)).toThrow(Malformed);
  expect(() => cursor("4142").text()).toThrow(Malformed);
});
