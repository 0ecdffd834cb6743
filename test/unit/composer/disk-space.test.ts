import { expect, test } from "bun:test";
import { statfs } from "node:fs/promises";
import { bytesAboveReserve } from "../../../src/composer/disk-space.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("what is free counts from the reserve on", () =>
  withFolder(async (folder) => {
    const none = await bytesAboveReserve(folder, 0);
    expect(none).toBeGreaterThan(0);
    // Others write to this disk too: it is only sure that a gibibyte is more than they do meanwhile.
    const { blocks, bsize } = await statfs(folder);
    const reserve = Math.min(2 ** 31, (blocks * bsize) / 16);
    expect(await bytesAboveReserve(folder, reserve)).toBeLessThan(none - reserve / 2);
  }));

test("a reserve larger than the disk counts as a part of it", () =>
  withFolder(async (folder) => {
    const { blocks, bsize } = await statfs(folder);
    const least = -(blocks * bsize) / 16;
    expect(await bytesAboveReserve(folder, Number.MAX_SAFE_INTEGER)).toBeGreaterThanOrEqual(least);
  }));

test("a folder that cannot be asked is tried", async () => {
  expect(await bytesAboveReserve("/does/not/exist", 1)).toBe(Infinity);
});
