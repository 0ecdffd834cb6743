import { expect, test } from "bun:test";
import { crc32 } from "node:zlib";
import { crc32WithZeros } from "../../../src/model/crc32-zeros.ts";

test("it is zlib's checksum of the data with the zeros behind it", () => {
  for (const data of ["", "core", "\u0000\u00ff".repeat(999)])
    for (const count of [0, 1, 2, 7, 255, 256, 65_537, 3 * 2 ** 20]) {
      const bytes = Buffer.from(data, "latin1");
      const whole = Buffer.concat([bytes, Buffer.alloc(count)]);
      expect(crc32WithZeros(crc32(bytes), count)).toBe(crc32(whole));
    }
});

test("a tebibyte is as good as its parts", () => {
  const once = crc32WithZeros(crc32(Buffer.from("head")), 2 ** 40);
  let parts = crc32(Buffer.from("head"));
  for (let part = 0; part < 1024; part++) parts = crc32WithZeros(parts, 2 ** 30);
  expect(parts).toBe(once);
});
