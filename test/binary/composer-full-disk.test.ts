// A CORE_DIR that is full, gets full, or hangs: small real filesystems, in memory and frozen. Needs root.
import { expect } from "bun:test";
import { readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { runComposerProcess, startComposerProcess } from "../support/composer-process.ts";
import { gatedTest, missingProgram } from "../support/gate.ts";
import { installComposer } from "../support/installed-composer.ts";
import { judgeZips } from "../support/many-zips.ts";
import { runTool } from "../support/run-tool.ts";
import { CRASH_ARGS } from "../support/sample-crash.ts";
import { withSmallDisk } from "../support/small-disk.ts";
import { withFolder } from "../support/temporary-folder.ts";
import { readersObstacle } from "../support/zip-readers.ts";

const root = process.getuid?.() === 0 ? undefined : "needs root (mounts)";
const NO_LIMITS = { DISK_RESERVE: 0, DISK_QUOTA: "100%", DISK_FREE: "0" };
const NAMED = { FILENAME_TEMPLATE: "T" };

for (const [title, settings] of [
  ["deflated", {}],
  ["stored", { COMPRESSION: false }],
] as const)
  gatedTest(
    `a disk that runs full leaves a whole, honest zip, whatever its size (${title})`,
    [readersObstacle(), root],
    async () => {
      // Noise does not shrink: the core is larger than each of the disks.
      for (const size of ["24k", "300k", "560k", "1m"])
        await withFolder((folder) =>
          withSmallDisk(size, async (CORE_DIR) => {
            const composer = await installComposer(folder, {
              ...NAMED,
              ...NO_LIMITS,
              ...settings,
              CORE_DIR,
            });
            const exitCode = await runComposerProcess(composer, {
              script: "head -c 4000000 /dev/urandom",
            });
            const files = readdirSync(CORE_DIR);
            const { "T.zip": zip } = await judgeZips(CORE_DIR);
            expect([size, exitCode, files, zip?.bad]).toEqual([size, 0, ["T.zip"], null]);
            expect(zip?.info).toMatchObject({
              core_complete: false,
              truncated_by: "no_space",
              core_bytes: zip?.sizes[1] ?? -1,
            });
            if (size === "1m") expect(zip?.sizes[1]).toBeGreaterThan(500_000);
          }),
        );
    },
    60_000,
  );

gatedTest(
  "a disk without room for anything is an error, and nothing is left on it",
  [readersObstacle(), root],
  () =>
    withFolder((folder) =>
      withSmallDisk("8k", async (CORE_DIR) => {
        const composer = await installComposer(folder, { ...NAMED, ...NO_LIMITS, CORE_DIR });
        expect(await runComposerProcess(composer, { script: "exec yes" })).toBe(1);
        expect(readdirSync(CORE_DIR)).toEqual([]);
        const last = (await composer.log()).at(-1);
        expect(last).toMatchObject({
          event: "dump_failed",
          error: expect.stringContaining("no space left"),
        });
      }),
    ),
);

gatedTest("a disk with room for no core still tells whose it was", [readersObstacle(), root], () =>
  withFolder((folder) =>
    withSmallDisk("300k", async (CORE_DIR) => {
      const limits = { DISK_QUOTA: "1%" };
      const composer = await installComposer(folder, { ...NAMED, ...limits, CORE_DIR });
      const crashed = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
      // As the kernel does it: the process is gone as soon as nobody reads its core any more.
      const script = `yes; kill -9 ${crashed.pid}`;
      const args = [...CRASH_ARGS, `-P=${crashed.pid}`];
      expect(await runComposerProcess(composer, { script, args })).toBe(0);
      await crashed.exited;
      const { "T.zip": zip } = await judgeZips(CORE_DIR);
      expect(zip).toMatchObject({
        bad: null,
        info: {
          core_bytes: 0,
          truncated_by: "no_space",
          exe_path: expect.stringContaining("sleep"),
        },
      });
    }),
  ),
);

gatedTest("DISK_RESERVE is left free", [readersObstacle(), root], () =>
  withFolder((folder) =>
    withSmallDisk("16m", async (CORE_DIR) => {
      const rules = { ...NO_LIMITS, DISK_RESERVE: "1Mi" };
      const composer = await installComposer(folder, { ...NAMED, ...rules, CORE_DIR });
      await runComposerProcess(composer, { script: "head -c 20000000 /dev/urandom" });
      const { "T.zip": zip } = await judgeZips(CORE_DIR);
      expect(zip).toMatchObject({ bad: null, info: { truncated_by: "no_space" } });
      expect(Bun.file(join(CORE_DIR, "T.zip")).size).toBeLessThanOrEqual(15 << 20);
    }),
  ),
);

gatedTest(
  "a limit on the size of files cuts the dump, and does not kill it",
  [readersObstacle()],
  () =>
    withFolder(async (folder) => {
      const composer = await installComposer(folder, { ...NAMED, ...NO_LIMITS });
      // In blocks of 512 bytes (sh).
      const start = { script: "head -c 4000000 /dev/urandom", before: "ulimit -f 2000;" };
      expect(await runComposerProcess(composer, start)).toBe(0);
      const { "T.zip": zip } = await judgeZips(composer.coreDir);
      expect(zip).toMatchObject({ bad: null, info: { truncated_by: "no_space" } });
      expect(Bun.file(join(composer.coreDir, "T.zip")).size).toBeLessThanOrEqual(2000 * 512);
    }),
);

/** Longer than the test needs, shorter than anyone wants a frozen disk to stay should the test be killed. */
const THAW_AFTER_S = 20;

gatedTest(
  "a disk that hangs does not hold the crashed process beyond the deadline",
  [readersObstacle(), root, missingProgram("mkfs.ext4") ?? missingProgram("fsfreeze")],
  () =>
    withFolder(async (folder) => {
      const disk = join(folder, "disk");
      await mkdir(disk);
      await runTool(["truncate", "-s", "16M", join(folder, "image")]);
      await runTool(["mkfs.ext4", "-q", join(folder, "image")]);
      await runTool(["mount", "-o", "loop", join(folder, "image"), disk]);
      const settings = { ...NAMED, ...NO_LIMITS, CORE_DIR: join(disk, "cores"), TIMEOUT: 1 };
      const composer = await installComposer(folder, settings);
      const watchdog = Bun.spawn(["sh", "-c", `sleep ${THAW_AFTER_S}; fsfreeze -u "$0"`, disk]);
      // On a frozen filesystem every write hangs, whoever does it.
      await runTool(["fsfreeze", "-f", disk]);
      try {
        // Its sender ends by itself only when nobody reads any more.
        const script = "yes; echo released >released";
        const running = startComposerProcess(composer, { script });
        while (!(await Bun.file(join(folder, "released")).exists())) await Bun.sleep(10);
        // Fails where it was not frozen any more.
        await runTool(["fsfreeze", "-u", disk]);
        expect(await running.exit).toBe(32);
        const { "T.zip": zip } = await judgeZips(composer.coreDir);
        expect(zip).toMatchObject({
          bad: null,
          info: { core_complete: false, truncated_by: "timeout" },
        });
      } finally {
        watchdog.kill();
        await watchdog.exited;
        Bun.spawnSync(["fsfreeze", "-u", disk], { stdio: ["ignore", "ignore", "ignore"] });
        Bun.spawnSync(["umount", disk]);
      }
    }),
  40_000,
);
