import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDirectory, removeEmptyDirectory } from "../../../src/host/directories.ts";
import { failureOf } from "../../support/failure.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "directories-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

test("a directory is made with its parents, and narrowed when it is open to others", async () => {
  const path = join(folder, "x", "y");
  await ensureDirectory(path, 0o755);
  chmodSync(path, 0o777);
  await ensureDirectory(path, 0o755);
  expect(modeOf(path)).toBe(0o755);
  await ensureDirectory(path, 0o700);
  await ensureDirectory(path, 0o755);
  expect(modeOf(path)).toBe(0o700);
});

test("a directory that is a link, a file or another user's is refused", async () => {
  mkdirSync(join(folder, "real"));
  symlinkSync(join(folder, "real"), join(folder, "link"));
  writeFileSync(join(folder, "file"), "");
  expect(await failureOf(ensureDirectory(join(folder, "link"), 0o700))).toContain("symbolic link");
  expect(await failureOf(ensureDirectory(join(folder, "file"), 0o700))).toContain(
    "cannot make the directory",
  );
});

test("only an empty directory is removed, and one that never was is no error", async () => {
  mkdirSync(join(folder, "full", "inner"), { recursive: true });
  expect(await removeEmptyDirectory(join(folder, "full"))).toBe(false);
  expect(await removeEmptyDirectory(join(folder, "full", "inner"))).toBe(true);
  expect(await removeEmptyDirectory(join(folder, "none"))).toBe(false);
  expect(existsSync(join(folder, "full"))).toBe(true);
});
