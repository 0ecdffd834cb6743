import { expect, test } from "bun:test";
import { statfs } from "node:fs/promises";
import { hasFreeSpace } from "../../../src/composer/disk-space.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("no reserve leaves room, as long as there is any", () =>
  withFolder(async (folder) => {
    expect(await hasFreeSpace(folder, 0)).toBe(true);
  }));

test("a reserve larger than the disk counts as a part of it", () =>
  withFolder(async (folder) => {
    const { bavail, blocks } = await statfs(folder);
    expect(await hasFreeSpace(folder, Number.MAX_SAFE_INTEGER)).toBe(bavail > blocks / 16);
  }));

test("a folder that cannot be asked is tried", async () => {
  expect(await hasFreeSpace("/does/not/exist", 1)).toBe(true);
});
