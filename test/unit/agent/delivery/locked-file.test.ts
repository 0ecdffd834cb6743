import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { lockFile } from "../../../../src/agent/delivery/locked-file.ts";
import { temporaryFolder } from "../../../support/dumps.ts";

function dumpFile(): string {
  const path = join(temporaryFolder(), "T.zip");
  writeFileSync(path, "zip");
  return path;
}

test("one holder at a time, and the next when it is released", async () => {
  const path = dumpFile();
  const first = await lockFile(path);
  expect(first?.identity.sizeBytes).toBe(3);
  expect(await lockFile(path)).toBeUndefined();
  await first?.release();
  const second = await lockFile(path);
  expect(second).toBeDefined();
  await second?.release();
});

test("another process's lock counts, and ends with the process", async () => {
  const path = dumpFile();
  const script =
    "import fcntl,sys,time; f=open(sys.argv[1]); fcntl.flock(f,fcntl.LOCK_EX); print('held',flush=True); time.sleep(60)";
  const holder = Bun.spawn(["python3", "-c", script, path], { stdout: "pipe" });
  await holder.stdout.getReader().read();
  expect(await lockFile(path)).toBeUndefined();
  holder.kill("SIGKILL");
  await holder.exited;
  const locked = await lockFile(path);
  expect(locked).toBeDefined();
  await locked?.release();
});

test("a file that is gone, or was replaced by another, is not locked", async () => {
  const path = dumpFile();
  unlinkSync(path);
  expect(await lockFile(path)).toBeUndefined();
  writeFileSync(`${path}.new`, "another");
  renameSync(`${path}.new`, path);
  const locked = await lockFile(path);
  expect(locked?.identity.sizeBytes).toBe(7);
  await locked?.release();
});

test("links and folders are refused: a dump is a regular file", async () => {
  const folder = temporaryFolder();
  symlinkSync("/etc/passwd", join(folder, "link.zip"));
  mkdirSync(join(folder, "folder.zip"));
  expect(lockFile(join(folder, "link.zip"))).rejects.toThrow("cannot open");
  expect(lockFile(join(folder, "folder.zip"))).rejects.toThrow("not a regular file");
});
