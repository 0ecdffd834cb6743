import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  openComposerLogTail,
  type ComposerLogTail,
} from "../../../../src/agent/observe/composer-log-tail.ts";
import { failureOf } from "../../../support/failure.ts";

let hostDir: string;
let lines: string[];
beforeEach(() => {
  hostDir = mkdtempSync(join(tmpdir(), "tail-"));
  lines = [];
});
afterEach(() => rmSync(hostDir, { recursive: true, force: true }));

const logPath = () => join(hostDir, "composer.log");
const append = (text: string) => appendFileSync(logPath(), text);
const rotate = () => renameSync(logPath(), `${logPath()}.1`);
const poll = async (tail: ComposerLogTail) => tail.poll((line) => lines.push(line));

test("each line comes once, and only when it is whole", async () => {
  const tail = openComposerLogTail(hostDir);
  await poll(tail);
  append("one\ntw");
  await poll(tail);
  append("o\nthree\n");
  await poll(tail);
  await poll(tail);
  expect(lines).toEqual(["one", "two", "three"]);
});

test("a rotation loses nothing, even of what was written just before it", async () => {
  const tail = openComposerLogTail(hostDir);
  append("one\n");
  await poll(tail);
  append("two\n");
  rotate();
  append("three\n");
  expect(await poll(tail)).toBe(true);
  expect(lines).toEqual(["one", "two", "three"]);
});

test("a new agent goes on where the last one was", async () => {
  append("one\n");
  await poll(openComposerLogTail(hostDir));
  append("two\n");
  rotate();
  append("three\n");
  await poll(openComposerLogTail(hostDir));
  await poll(openComposerLogTail(hostDir));
  expect(lines).toEqual(["one", "two", "three"]);
});

test("two rotations between two looks are told as a gap", async () => {
  const tail = openComposerLogTail(hostDir);
  append("one\n");
  await poll(tail);
  rotate();
  append("lost\n");
  // Keeps the first file's inode taken, as a node under load would.
  symlinkSync("nowhere", join(hostDir, "other"));
  renameSync(`${logPath()}.1`, join(hostDir, "gone"));
  rotate();
  append("three\n");
  expect(await poll(tail)).toBe(false);
  expect(lines).toEqual(["one", "lost", "three"]);
});

test("a log of many blocks comes whole, and a line without end does not stop it", async () => {
  const many = Array.from({ length: 9000 }, (_, index) => `line ${index} ${"ü".repeat(20)}`);
  writeFileSync(logPath(), `${many.join("\n")}\n${"x".repeat(200_000)}\nlast\n`);
  await poll(openComposerLogTail(hostDir));
  expect(lines.slice(0, 9000)).toEqual(many);
  expect(lines.at(-1)).toBe("last");
});

test("a log that was cut is read from its start, and a broken position too", async () => {
  const tail = openComposerLogTail(hostDir);
  append("one\ntwo\n");
  await poll(tail);
  writeFileSync(logPath(), "three\n");
  await poll(tail);
  writeFileSync(join(hostDir, "composer.log.position"), "{");
  await poll(openComposerLogTail(hostDir));
  expect(lines).toEqual(["one", "two", "three", "three"]);
});

test("a link in the log's place is not followed", async () => {
  symlinkSync("/etc/passwd", logPath());
  expect(await failureOf(poll(openComposerLogTail(hostDir)))).toContain("ELOOP");
  expect(lines).toEqual([]);
});
