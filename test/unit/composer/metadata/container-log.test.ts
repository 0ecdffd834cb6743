import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLogTail as readBytes } from "../../../../src/composer/metadata/container-log.ts";
import { failureOf } from "../../../support/failure.ts";

async function readLogTail(...args: Parameters<typeof readBytes>) {
  const { data, cut } = await readBytes(...args);
  return { text: new TextDecoder().decode(data), cut };
}

const ID = "ab".repeat(32);
const ROOMY = { lines: 500, maxBytes: 2 ** 20 };
let root = "";
let log = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pod-logs-"));
  const directory = join(root, "default_web-0_6f1c2f34-8f0e-4c55-9d3b-2f6a0d9c7b11", "app");
  mkdirSync(directory, { recursive: true });
  log = join(directory, "0.log");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const cri = (text: string, tag = "F", stream = "stdout") =>
  `2016-10-06T00:17:09.669794202Z ${stream} ${tag} ${text}\n`;
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => cri(`line ${from + i}`)).join("");
const linesOf = (text: string) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

test("a short log comes whole", async () => {
  writeFileSync(log, cri("one") + cri("two", "F", "stderr"));
  expect(await readLogTail(log, ID, ROOMY)).toEqual({ text: "one\ntwo\n", cut: false });
});

test("of a long log the last lines come, exactly as many as asked for", async () => {
  writeFileSync(log, numbered(0, 50_000));
  for (const lines of [1, 2, 500, 3000]) {
    const { text, cut } = await readLogTail(log, ID, { lines, maxBytes: 2 ** 20 });
    expect(linesOf(text)).toHaveLength(lines);
    expect(linesOf(text)[0]).toBe(`line ${50_000 - lines}`);
    expect(text.endsWith("line 49999\n")).toBe(true);
    expect(cut).toBe(false);
  }
});

test("lines of many pieces count once and come whole", async () => {
  const piece = "x".repeat(16_384);
  const long = cri(piece, "P") + cri(piece, "P") + cri(piece, "P") + cri("end");
  writeFileSync(log, cri("first") + long.repeat(10));
  const { text } = await readLogTail(log, ID, { lines: 3, maxBytes: 2 ** 20 });
  expect(linesOf(text).map((line) => line.length)).toEqual(
    Array.from({ length: 3 }, () => 3 * 16_384 + 3),
  );
});

test("what the file lacks comes from its youngest rotated predecessor", async () => {
  writeFileSync(`${log}.20240101-000000`, numbered(0, 100));
  writeFileSync(`${log}.20240102-000000`, numbered(100, 200));
  writeFileSync(`${log}.20240103-000000.gz`, "compressed");
  writeFileSync(`${log}.20240103-000000.tmp`, numbered(900, 999));
  writeFileSync(log, numbered(200, 210));
  const { text } = await readLogTail(log, ID, { lines: 50, maxBytes: 2 ** 20 });
  expect(linesOf(text)[0]).toBe("line 160");
  expect(linesOf(text)).toHaveLength(50);
});

test("of a log that was rotated and not opened again, the rotated file is read", async () => {
  writeFileSync(`${log}.20240101-000000`, numbered(0, 100));
  writeFileSync(`${log}.20240102-000000`, numbered(100, 200));
  const { text } = await readLogTail(log, ID, { lines: 50, maxBytes: 2 ** 20 });
  expect(linesOf(text)).toHaveLength(50);
  expect(linesOf(text).at(-1)).toBe("line 199");
});

test("a line that rotation cut in two is joined", async () => {
  writeFileSync(`${log}.20240102-000000`, cri("a") + cri("begin ", "P"));
  writeFileSync(log, cri("end"));
  expect((await readLogTail(log, ID, ROOMY)).text).toBe("a\nbegin end\n");
});

test("an empty log, or no lines asked for, is an empty text", async () => {
  writeFileSync(log, "");
  expect(await readLogTail(log, ID, ROOMY)).toEqual({ text: "", cut: false });
  expect((await readLogTail("/nonexistent", ID, { lines: 0, maxBytes: 9 })).text).toBe("");
});

test("the bound in bytes holds, and says that it was reached", async () => {
  writeFileSync(log, numbered(0, 50_000));
  const { text, cut } = await readLogTail(log, ID, { lines: 50_000, maxBytes: 100_000 });
  expect(cut).toBe(true);
  expect(text.length).toBeLessThan(100_000);
  expect(text.endsWith("line 49999\n")).toBe(true);
});

test("the bound in bytes covers the predecessor too", async () => {
  writeFileSync(`${log}.20240102-000000`, numbered(0, 50_000));
  writeFileSync(log, numbered(50_000, 50_010));
  const { text, cut } = await readLogTail(log, ID, { lines: 40_000, maxBytes: 10_000 });
  expect(cut).toBe(true);
  expect(text.length).toBeLessThan(10_000);
});

test("docker's log is followed to the container's own file, and nowhere else", async () => {
  const docker = join(root, "docker/containers", ID);
  mkdirSync(docker, { recursive: true });
  const json = join(docker, `${ID}-json.log`);
  writeFileSync(json, `${JSON.stringify({ log: "from docker\n", stream: "stdout" })}\n`);
  symlinkSync(json, log);
  expect((await readLogTail(log, ID, ROOMY)).text).toBe("from docker\n");

  rmSync(log);
  const other = join(root, "secret");
  writeFileSync(other, "secret\n");
  symlinkSync(other, log);
  expect(await failureOf(readLogTail(log, ID, ROOMY))).toContain("link to somewhere else");
});

test("a directory of the pod that was replaced by a link is not followed", async () => {
  const elsewhere = join(root, "elsewhere/app");
  mkdirSync(elsewhere, { recursive: true });
  writeFileSync(join(elsewhere, "0.log"), "secret\n");
  const pod = join(log, "../..");
  renameSync(pod, `${pod}.away`);
  symlinkSync(join(root, "elsewhere"), pod);
  expect(await failureOf(readLogTail(log, ID, ROOMY))).toContain("leads out of its directory");
});

test("a log root that is itself a link, as on nodes with a moved /var/log, is fine", async () => {
  writeFileSync(log, cri("one"));
  const alias = `${root}.alias`;
  symlinkSync(root, alias);
  try {
    expect((await readLogTail(log.replace(root, alias), ID, ROOMY)).text).toBe("one\n");
  } finally {
    rmSync(alias);
  }
});

test("a rotated file that is a link is not followed, with or without a current one", async () => {
  writeFileSync(join(root, "secret"), "secret\n");
  symlinkSync(join(root, "secret"), `${log}.20240102-000000`);
  expect(await failureOf(readLogTail(log, ID, ROOMY))).toContain("ELOOP");
});

test("a FIFO, a directory or nothing at all in the log's place is an error at once", async () => {
  expect(await failureOf(readLogTail(log, ID, ROOMY))).toContain("ENOENT");
  mkdirSync(log);
  expect(await failureOf(readLogTail(log, ID, ROOMY))).toContain("not a regular file");
  rmSync(log, { recursive: true });
  Bun.spawnSync(["mkfifo", log]);
  expect(await failureOf(readLogTail(log, ID, ROOMY))).toContain("not a regular file");
});
