import { expect, test } from "bun:test";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseCommandLine } from "../../../src/composer/command-line.ts";
import { readEnvironment } from "../../../src/composer/environment.ts";
import { readComposerSettings } from "../../../src/config/composer-settings.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const DEFAULTS = readComposerSettings({}).settings;

/** The environment that a `.env` with this text gives. */
function withEnv(text: string | Uint8Array, ...args: string[]) {
  return withFolder(async (folder) => {
    await writeFile(join(folder, ".env"), text);
    return readEnvironment(folder, parseCommandLine(args, 0));
  });
}

test("good settings are taken, without a word", async () => {
  const { settings, coreDir, complaints } = await withEnv("TIMEOUT=5\nCORE_DIR=/mnt/cores\n");
  expect(settings).toEqual({ ...DEFAULTS, TIMEOUT: 5, CORE_DIR: "/mnt/cores" });
  expect({ coreDir, complaints }).toEqual({ coreDir: "/mnt/cores", complaints: [] });
});

test("a bad value costs only itself", async () => {
  const { settings, complaints } = await withEnv("TIMEOUT=soon\nCOMPRESSION=false\n");
  expect(settings).toEqual({ ...DEFAULTS, COMPRESSION: false });
  expect(complaints).toEqual([
    'TIMEOUT is "soon"; expected a whole number of seconds from 1 to 86400',
  ]);
});

test("-T and -D go before .env, -d after it", async () => {
  const { settings } = await withEnv("TIMEOUT=5\n", "-T=9", "-D");
  expect(settings).toMatchObject({ TIMEOUT: 9, COMPRESSION: false });
  const dirs = await withEnv("CORE_DIR=/mnt/cores\n", "-d=/etc");
  expect(dirs.coreDir).toBe("/mnt/cores");
});

test("by hand -d is relative to the working directory", () =>
  withFolder(async (folder) => {
    const given = parseCommandLine(["-d=mine"], 0);
    expect((await readEnvironment(folder, given, "/tmp/work")).coreDir).toBe("/tmp/work/mine");
    const nothing = parseCommandLine([], 0);
    expect((await readEnvironment(folder, nothing, "/tmp/work")).coreDir).toBe(
      join(folder, "cores"),
    );
  }));

test("without CORE_DIR the dumps go to -d, by the kernel relative to HOST_DIR, else to its cores", () =>
  withFolder(async (folder) => {
    const coreDir = async (...args: string[]) =>
      (await readEnvironment(folder, parseCommandLine(args, 0), "/")).coreDir;
    expect(await coreDir("-d=/mnt/cores")).toBe("/mnt/cores");
    expect(await coreDir("-d=mine")).toBe(join(folder, "mine"));
    expect(await coreDir()).toBe(join(folder, "cores"));
    expect(await coreDir("-d=")).toBe(join(folder, "cores"));
  }));

const LINE = "TIMEOUT=5\n";
for (const [title, lay] of [
  ["a missing .env", async () => undefined],
  ["a folder in its place", (path: string) => mkdir(path)],
  ["a pipe in its place", async (path: string) => Bun.spawnSync(["mkfifo", path]).exitCode],
  ["an endless device behind a link", (path: string) => symlink("/dev/zero", path)],
  [
    "a link to settings of someone else",
    async (path: string) => {
      await writeFile(`${path}.other`, LINE);
      await symlink(`${path}.other`, path);
    },
  ],
  ["a link to nowhere", (path: string) => symlink("/does/not/exist", path)],
  ["a huge .env", (path: string) => writeFile(path, LINE + "#".repeat(100_000_000))],
] as const)
  test(`${title} means the defaults, and one complaint`, () =>
    withFolder(async (folder) => {
      await lay(join(folder, ".env"));
      const { settings, complaints } = await readEnvironment(folder, parseCommandLine([], 0));
      expect(settings).toEqual(DEFAULTS);
      expect(complaints).toHaveLength(1);
      expect(complaints[0]).toStartWith("no settings: ");
    }));

test("binary noise means the defaults", async () => {
  const noise = Uint8Array.from({ length: 60_000 }, (_, i) => (i * 7919) >> 3);
  const { settings } = await withEnv(noise);
  expect(settings).toEqual(DEFAULTS);
  expect((await withEnv("\ufeffTIMEOUT=5\n")).settings.CORE_DIR).toBe("");
});

test("complaints about the command line stand beside those about .env", async () => {
  const { complaints } = await withEnv("TIMEOUT=0\n", "--bogus");
  expect(complaints).toHaveLength(2);
});
