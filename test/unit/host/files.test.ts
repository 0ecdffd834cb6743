import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failureOf } from "../../support/failure.ts";
import {
  copyFileAtomically,
  exists,
  readTextFile,
  removeFile,
  sameContent,
  syncDirectory,
  writeFileAtomically,
} from "../../../src/host/files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

test("a file is replaced whole, with the mode asked for, and no temporary stays", async () => {
  const path = join(folder, "a");
  writeFileSync(path, "old", { mode: 0o644 });
  await writeFileAtomically(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(modeOf(path)).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["a"]);
});

test("writing over a symbolic link replaces the link and leaves its target alone", async () => {
  const target = join(folder, "target");
  writeFileSync(target, "precious");
  symlinkSync(target, join(folder, "link"));
  await writeFileAtomically(join(folder, "link"), "new");
  expect(readFileSync(target, "utf8")).toBe("precious");
  expect(readFileSync(join(folder, "link"), "utf8")).toBe("new");
});

test("an executable that is running is replaced without ETXTBSY", async () => {
  const path = join(folder, "sleeper");
  await copyFileAtomically("/bin/sleep", path, 0o700);
  const running = Bun.spawn([path, "60"]);
  try {
    await copyFileAtomically("/bin/true", path, 0o700);
    expect(readFileSync(path).equals(readFileSync("/bin/true"))).toBe(true);
    expect(running.exitCode).toBeNull();
  } finally {
    running.kill("SIGKILL");
    await running.exited;
  }
});

test("a failed write is one AppError and leaves nothing behind", async () => {
  const missing = join(folder, "no", "a");
  expect(await failureOf(writeFileAtomically(missing, "x"))).toContain(`cannot write ${missing}`);
  mkdirSync(join(folder, "b"));
  expect(await failureOf(writeFileAtomically(join(folder, "b"), "x"))).toContain("cannot write");
  expect(readdirSync(folder)).toEqual(["b"]);
});

test("reading gives undefined for nothing, and refuses links, folders and long files", async () => {
  expect(await readTextFile(join(folder, "none"))).toBeUndefined();
  writeFileSync(join(folder, "long"), "x".repeat(11));
  symlinkSync(join(folder, "long"), join(folder, "link"));
  expect(await failureOf(readTextFile(join(folder, "link")))).toContain("cannot read");
  expect(await failureOf(readTextFile(folder))).toContain("not a regular file");
  expect(await failureOf(readTextFile(join(folder, "long"), 10))).toContain("longer than 10 bytes");
});

test("two files are the same only when every byte is", async () => {
  const [a, b] = [join(folder, "a"), join(folder, "b")];
  writeFileSync(a, Buffer.alloc(3_000_000, 1));
  writeFileSync(b, Buffer.alloc(3_000_000, 1));
  expect(await sameContent(a, b)).toBe(true);
  const last = Buffer.alloc(3_000_000, 1);
  last[2_999_999] = 2;
  writeFileSync(b, last);
  expect(await sameContent(a, b)).toBe(false);
  expect(await sameContent(a, join(folder, "none"))).toBe(false);
});

test("removing says whether there was something", async () => {
  writeFileSync(join(folder, "a"), "");
  expect(await removeFile(join(folder, "a"))).toBe(true);
  expect(await removeFile(join(folder, "a"))).toBe(false);
  expect(await exists(folder)).toBe(true);
  expect(await exists(join(folder, "none"))).toBe(false);
});

test("a folder that cannot be synced by its filesystem is no failure, one that is not there is", async () => {
  const proc = await open("/proc");
  expect(await failureOf(proc.sync())).toContain("EINVAL");
  await proc.close();
  await syncDirectory("/proc");
  await syncDirectory(folder);
  expect(await failureOf(syncDirectory(join(folder, "none")))).toContain("ENOENT");
});
