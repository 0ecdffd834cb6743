import { createHash } from "node:crypto";
import { expect, test } from "bun:test";
import { toBase64, toHex } from "../../../../src/store/range-digest.ts";
import { compositeCrc32, compositeEtag } from "../../../../src/store/s3/s3-digest.ts";

test("a multipart ETag is the MD5 of the parts' MD5s, with their number", () => {
  const parts = ["a", "b"].map((text) => createHash("md5").update(text).digest());
  const whole = createHash("md5").update(Buffer.concat(parts)).digest("hex");
  expect(compositeEtag(parts.map(toHex))).toBe(`${whole}-2`);
});

test("a composite CRC32 is that of the parts' CRC32s", () => {
  const parts = [1, 2].map((value) => toBase64(new Uint8Array([0, 0, 0, value])));
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(Bun.hash.crc32(new Uint8Array([0, 0, 0, 1, 0, 0, 0, 2])));
  expect(compositeCrc32(parts)).toBe(`${crc.toString("base64")}-2`);
  expect(compositeCrc32([parts[0], undefined])).toBeUndefined();
});
