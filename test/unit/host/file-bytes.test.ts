import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openFileBytes } from "../../../src/host/file-bytes.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("bytes at any offset, across pages, and fewer only at the end", async () => {
  await withFolder(async (folder) => {
    const content = Buffer.from(Array.from({ length: 600_000 }, (_, index) => (index * 7) & 255));
    const path = join(folder, "file");
    await writeFile(path, content);
    const bytes = openFileBytes(path);
    expect(bytes.sizeBytes).toBe(content.length);
    // More places than pages are kept, in an order that comes back to earlier ones.
    for (let round = 0; round < 3; round++)
      for (let at = 0; at < content.length; at += 9973)
        for (const length of [1, 8, 4096, 20_000])
          expect(bytes.read(at, length).equals(content.subarray(at, at + length))).toBe(true);
    expect(bytes.read(content.length, 8)).toHaveLength(0);
    expect(bytes.read(content.length - 3, 8)).toHaveLength(3);
    expect(bytes.read(-1, 8)).toHaveLength(0);
    bytes.close();
  });
});

test("a file that became shorter ends where it ends now", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "file");
    await writeFile(path, Buffer.alloc(100_000, 1));
    const bytes = openFileBytes(path);
    await writeFile(path, Buffer.alloc(10, 1));
    expect(bytes.read(0, 100)).toHaveLength(10);
    expect(bytes.read(50_000, 100)).toHaveLength(0);
    bytes.close();
  });
});

test("what is no regular file is not opened", () => {
  expect(() => openFileBytes("/dev/zero")).toThrow("not a regular file");
  expect(() => openFileBytes("/")).toThrow("not a regular file");
  expect(() => openFileBytes("/nowhere")).toThrow("ENOENT");
});
