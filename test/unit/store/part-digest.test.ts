import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import {
  compositeCrc32,
  compositeEtag,
  digestRange,
  toBase64,
  toHex,
} from "../../../src/store/part-digest.ts";
import { temporaryFolder } from "../../support/dumps.ts";

const never = new AbortController().signal;
const ALL = { sha256: true, crc32: true };

function fileOf(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), "file");
  writeFileSync(path, bytes);
  return path;
}

test("the check value of CRC-32 and the RFC's of MD5 come out", async () => {
  const path = fileOf(new TextEncoder().encode("123456789"));
  const digest = await digestRange(path, 0, 9, ALL, never);
  expect(toHex(digest.crc32 ?? new Uint8Array())).toBe("cbf43926");
  expect(toHex(digest.md5)).toBe("25f9e794323b453885f5181f1b624d0b");
});

test("a range that is larger than the buffer is digested as a whole", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(65_536));
  const long = new Uint8Array(1_500_000).map((_, index) => bytes[index % 65_536] ?? 0);
  const digest = await digestRange(fileOf(long), 1000, 1_400_000, ALL, never);
  const piece = long.subarray(1000, 1_400_000);
  expect(digest.sha256Hex).toBe(createHash("sha256").update(piece).digest("hex"));
  expect(toHex(digest.md5)).toBe(createHash("md5").update(piece).digest("hex"));
});

test("what is not asked for is not computed", async () => {
  const digest = await digestRange(
    fileOf(new Uint8Array(3)),
    0,
    3,
    { sha256: false, crc32: false },
    never,
  );
  expect(digest).toMatchObject({ sha256Hex: undefined, crc32: undefined });
});

test("a file that is shorter than it was is an error, not a short digest", async () => {
  const path = fileOf(new Uint8Array(10));
  expect(digestRange(path, 0, 11, ALL, never)).rejects.toThrow("ends at byte 10");
});

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
