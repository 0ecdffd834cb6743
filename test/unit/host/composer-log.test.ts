import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ComposerLog } from "../../../src/host/composer-log.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const MAX_BYTES = 1 << 20;
const WRITER = join(import.meta.dir, "../../support/log-writer.ts");

function records(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, "utf8").split("\n");
  expect(lines.pop()).toBe("");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a record is one line of JSON, whatever is in it", () =>
  withFolder(async (folder) => {
    const hostile = 'a\nb\r\u0000"\\\u2028\u202e\ud800';
    const log = new ComposerLog(folder, "the-uuid", "warn");
    log.milestone("info", "dump_started", { source: "pipe", exe: hostile, pid: 7, host_pid: null });
    const [record, ...others] = records(join(folder, "composer.log"));
    expect(others).toEqual([]);
    expect(record).toMatchObject({
      level: "info",
      event: "dump_started",
      uuid: "the-uuid",
      exe: hostile,
      pid: 7,
      host_pid: null,
    });
    expect(readFileSync(join(folder, "composer.log"), "utf8")).toMatch(/^[ -~\ud800\ufffd]*\n$/);
    expect(statSync(join(folder, "composer.log")).mode & 0o777).toBe(0o600);
  }));

test("milestones are told at any level, details only at theirs", () =>
  withFolder(async (folder) => {
    for (const level of ["debug", "info", "error"] as const) {
      const log = new ComposerLog(folder, level, level);
      log.milestone("info", "dump_failed", { error: "milestone" });
      log.detail("info", "dump_failed", { error: "detail" });
    }
    const told = records(join(folder, "composer.log")).map(
      ({ uuid, error }) => `${String(uuid)} ${String(error)}`,
    );
    expect(told).toEqual([
      "debug milestone",
      "debug detail",
      "info milestone",
      "info detail",
      "error milestone",
    ]);
  }));

test("a text without end makes no line without end", () =>
  withFolder(async (folder) => {
    new ComposerLog(folder, "u", "info").milestone("info", "dump_failed", {
      error: "\u0001".repeat(1_000_000),
    });
    expect(statSync(join(folder, "composer.log")).size).toBeLessThan(4096);
  }));

test(
  "twenty composers at once lose and mix up no record, over a rotation too",
  () =>
    withFolder(async (folder) => {
      const writers = Array.from({ length: 20 }, (_, i) =>
        Bun.spawn([process.execPath, WRITER, folder, `writer-${i}`, "250"], {
          stdio: ["ignore", "ignore", "inherit"],
        }),
      );
      for (const writer of writers) expect(await writer.exited).toBe(0);
      expect(readdirSync(folder).toSorted()).toEqual(["composer.log", "composer.log.1"]);
      const told = ["composer.log.1", "composer.log"].flatMap((name) =>
        records(join(folder, name)),
      );
      const seen = new Set(told.map(({ uuid, core_bytes: i }) => `${String(uuid)} ${String(i)}`));
      expect([told.length, seen.size]).toEqual([5000, 5000]);
      expect(statSync(join(folder, "composer.log.1")).size).toBeLessThan(MAX_BYTES + 100_000);
    }),
  60_000,
);

test("however much is written, two files of a mebibyte are kept", () =>
  withFolder(async (folder) => {
    const log = new ComposerLog(folder, "u", "info");
    for (let i = 0; i < 15_000; i++)
      log.milestone("info", "dump_failed", { error: "x".repeat(200) });
    for (const name of ["composer.log", "composer.log.1"])
      expect(statSync(join(folder, name)).size).toBeLessThan(MAX_BYTES + 1000);
    expect(readdirSync(folder)).toHaveLength(2);
  }));

for (const [title, lay] of [
  ["a link", (path: string) => symlinkSync(`${path}.target`, path)],
  ["a pipe that nobody reads", (path: string) => void Bun.spawnSync(["mkfifo", path])],
  ["a folder", (path: string) => mkdirSync(path)],
] as const)
  test(`${title} in its place is not followed, not waited for, and costs nothing`, () =>
    withFolder(async (folder) => {
      const path = join(folder, "composer.log");
      lay(path);
      new ComposerLog(folder, "u", "info").milestone("info", "dump_failed", { error: "" });
      expect(existsSync(`${path}.target`)).toBe(false);
    }));

test("a host folder that is not there costs nothing", () => {
  const log = new ComposerLog("/does/not/exist", "u", "info");
  expect(() => log.milestone("info", "dump_failed", { error: "" })).not.toThrow();
});

test("a predecessor that cannot be replaced stops no dump", () =>
  withFolder(async (folder) => {
    mkdirSync(join(folder, "composer.log.1", "x"), { recursive: true });
    writeFileSync(join(folder, "composer.log"), "x\n".repeat(MAX_BYTES / 2 + 1));
    new ComposerLog(folder, "u", "info").milestone("info", "dump_failed", { error: "" });
    expect(existsSync(join(folder, "composer.log.1", "x"))).toBe(true);
  }));
