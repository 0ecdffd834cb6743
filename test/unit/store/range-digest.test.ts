import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { digestRange, toHex } from "../../../src/store/range-digest.ts";
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
