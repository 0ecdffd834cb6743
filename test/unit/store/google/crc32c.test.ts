import { expect, test } from "bun:test";
import { crc32c } from "../../../../src/store/google/crc32c.ts";

// RFC 3720, appendix B.4.
test.each([
  [new Uint8Array(32), 0x8a9136aa],
  [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
  [Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
  [new TextEncoder().encode("123456789"), 0xe3069283],
  [new Uint8Array(0), 0],
])("the CRC of %p is that of the standard", (bytes, crc) => {
  expect(crc32c(bytes)).toBe(crc);
});

test("a CRC goes on where another one ended", () => {
  const bytes = crypto.getRandomValues(new Uint8Array(1000));
  for (const cut of [0, 1, 7, 8, 999])
    expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes));
});
