import { expect, test } from "bun:test";
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
} from "node:fs";
import { readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  findCore,
  isUnlinked,
  openWhenFinished,
  removeCore,
  type FoundCore,
} from "../../../../src/agent/harvest/found-core.ts";
import { openSpot } from "../../../../src/agent/harvest/spots.ts";
import { tryLock } from "../../../../src/host/libc.ts";
import { coreName, withSpot, type TestSpot } from "../../../support/core-spot.ts";
import { gatedTest } from "../../../support/gate.ts";

/** The core of that name; the caller's to close. */
function coreOf({ find }: TestSpot, exe = "app"): FoundCore {
  const finding = find(exe);
  if (finding.kind !== "core") throw new Error(JSON.stringify(finding));
  return finding.core;
}

function readAll(core: FoundCore): Buffer {
  const readiness = openWhenFinished(core);
  if (readiness.kind !== "ready") throw new Error(readiness.kind);
  const bytes = readFileSync(readiness.input);
  closeSync(readiness.input);
  return bytes;
}

test("a core is found with what its name says, and read whole", () =>
  withSpot(async (spot) => {
    const path = await spot.put("app");
    const core = coreOf(spot);
    expect(core.facts).toMatchObject({ hostPid: 4242, pid: 1, signal: 11 });
    expect(readAll(core)).toEqual(readFileSync(path));
    closeSync(core.fd);
  }));

const ODD: Record<string, (path: string) => void> = {
  "a symbolic link": (path) => symlinkSync("/etc/passwd", path),
  "a directory": (path) => mkdirSync(path),
  "a FIFO": (path) => void Bun.spawnSync(["mkfifo", path]),
};
for (const [what, make] of Object.entries(ODD))
  test(`${what} is refused, and never waited for`, () =>
    withSpot(async (spot) => {
      make(join(spot.directory, coreName("odd")));
      expect(spot.find("odd")).toMatchObject({ kind: "refused", why: `it is ${what}` });
    }));

test("a file of two names is refused: the other one is not ours to empty", () =>
  withSpot(async (spot) => {
    linkSync(await spot.put("app"), join(spot.directory, "other"));
    expect(spot.find("app")).toMatchObject({ kind: "refused", why: "it has 2 names" });
  }));

gatedTest(
  "a device is refused without being opened",
  [process.getuid?.() === 0 ? undefined : "needs root"],
  () =>
    withSpot(async (spot) => {
      // /dev/full's number: opened for reading it would give zeros without end.
      Bun.spawnSync(["mknod", join(spot.directory, coreName("odd")), "c", "1", "7"]);
      expect(spot.find("odd")).toMatchObject({
        kind: "refused",
        why: "it is a device or a socket",
      });
    }),
);

test("a name that is not the pattern's is refused; one that is gone is gone", () =>
  withSpot(async ({ spot, directory, find }) => {
    await writeFile(join(directory, ".cdh-core.other"), "");
    const fd = openSpot(spot) ?? -1;
    const finding = findCore(spot, fd, Buffer.from(".cdh-core.other"));
    expect(finding).toMatchObject({ kind: "refused", why: "its name is not the pattern's" });
    closeSync(fd);
    expect(find("nobody")).toEqual({ kind: "gone" });
  }));

test("a /tmp that is a link is no place for cores, wherever it leads", () =>
  withSpot(async ({ spot, directory, put }) => {
    await put("app");
    await rename(directory, join(spot.path, "elsewhere"));
    await symlink("elsewhere", directory);
    expect(openSpot(spot)).toBeUndefined();
    await rm(directory);
    expect(openSpot(spot)).toBeUndefined();
  }));

const CONTENTS: [string, (path: string) => void | Promise<void>, string][] = [
  ["text", (path) => writeFile(path, "no core at all, but long enough".repeat(10)), "refused"],
  ["two bytes of text", (path) => writeFile(path, "no"), "refused"],
  ["zeros", (path) => writeFile(path, new Uint8Array(4096)), "refused"],
  ["a core with more behind it", (path) => truncateSync(path, 5000), "refused"],
  ["a core cut in its segment", (path) => truncateSync(path, 500), "ready"],
  ["a core cut in its header", (path) => truncateSync(path, 20), "ready"],
  ["a core cut in its magic number", (path) => truncateSync(path, 2), "ready"],
  ["a core of which nothing was written", (path) => truncateSync(path, 0), "ready"],
];
for (const [what, change, kind] of CONTENTS)
  test(`${what} is ${kind}`, () =>
    withSpot(async (spot) => {
      const path = await spot.put("app");
      await change(path);
      const core = coreOf(spot);
      const readiness = openWhenFinished(core);
      expect(readiness.kind).toBe(kind as "ready" | "refused");
      if (readiness.kind === "ready") closeSync(readiness.input);
      closeSync(core.fd);
    }));

test("a core that is being written waits; so does one that another composer reads", () =>
  withSpot(async (spot) => {
    const path = await spot.put("app");
    const core = coreOf(spot);
    const writer = openSync(path, "r+");
    expect(openWhenFinished(core)).toEqual({ kind: "being_written" });
    closeSync(writer);
    const reader = openSync(path, "r");
    expect(tryLock(reader)).toBe(true);
    expect(openWhenFinished(core)).toEqual({ kind: "being_written" });
    closeSync(reader);
    expect(readAll(core)).toHaveLength(1000);
    closeSync(core.fd);
  }));

test("a core that was unlinked meanwhile is read all the same", () =>
  withSpot(async (spot) => {
    const path = await spot.put("app");
    const core = coreOf(spot);
    expect(isUnlinked(core)).toBe(false);
    await rm(spot.directory, { recursive: true });
    expect(isUnlinked(core)).toBe(true);
    expect(readAll(core)).toHaveLength(1000);
    closeSync(core.fd);
    expect(path).toContain("/tmp/");
  }));

test("a core that another agent has taken meanwhile is not taken for an empty one", () =>
  withSpot(async (spot) => {
    await spot.put("app");
    const [ours, others] = [coreOf(spot), coreOf(spot)];
    const readiness = openWhenFinished(others);
    expect(openWhenFinished(ours)).toEqual({ kind: "being_written" });
    removeCore(others);
    if (readiness.kind === "ready") closeSync(readiness.input);
    expect(openWhenFinished(ours)).toEqual({ kind: "gone" });
    for (const { fd } of [ours, others]) closeSync(fd);
  }));

test("what is removed is the core itself, and its space with it, whoever has it open", () =>
  withSpot(async (spot) => {
    const path = await spot.put("app");
    const core = coreOf(spot);
    const holder = openSync(path, "r");
    removeCore(core);
    expect(await readdir(spot.directory)).toEqual([]);
    expect(readFileSync(holder)).toHaveLength(0);
    closeSync(holder);
    closeSync(core.fd);
  }));

test("another file that has its name by now stays", () =>
  withSpot(async (spot) => {
    const path = await spot.put("app");
    const core = coreOf(spot);
    await rm(path);
    await writeFile(path, "another");
    removeCore(core);
    expect(readFileSync(path, "utf8")).toBe("another");
    closeSync(core.fd);
  }));

test("a forged file of a tebibyte costs nothing to refuse", () =>
  withSpot(async (spot) => {
    const path = join(spot.directory, coreName("huge"));
    const fd = openSync(path, "wx");
    ftruncateSync(fd, 2 ** 40);
    closeSync(fd);
    expect(statSync(path).size).toBe(2 ** 40);
    const core = coreOf(spot, "huge");
    expect(openWhenFinished(core)).toEqual({ kind: "refused", why: "it is no ELF core" });
    closeSync(core.fd);
  }));
