// A composer that is ended in the middle: SIGKILL leaves a hidden file that nobody holds (and that the agent can
// seal), SIGTERM a whole zip.
import { expect } from "bun:test";
import { closeSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { tryLock } from "../../src/host/libc.ts";
import { kindOfCoreFile } from "../../src/model/core-file.ts";
import { startComposerProcess } from "../support/composer-process.ts";
import { gatedTest } from "../support/gate.ts";
import { installComposer } from "../support/installed-composer.ts";
import { judgeZips } from "../support/many-zips.ts";
import { withFolder } from "../support/temporary-folder.ts";
import { readersObstacle } from "../support/zip-readers.ts";

/** Moments tried; set CDH_TEST_ROUNDS=200 for the long campaign. */
const ROUNDS = Number(process.env["CDH_TEST_ROUNDS"] ?? 15);
const ENDLESS = { script: "exec cat /dev/urandom" };

for (const [title, settings] of [
  ["deflated", {}],
  ["stored", { COMPRESSION: false }],
] as const)
  gatedTest(
    `SIGKILL at ${ROUNDS} random moments leaves hidden files that nobody holds, or nothing (${title})`,
    [readersObstacle()],
    () =>
      withFolder(async (folder) => {
        const limits = { MAX_CORE_SIZE: "20M", DISK_QUOTA: "100%", CRASH_LOOP_LIMIT: 0 };
        const composer = await installComposer(folder, { ...limits, ...settings });
        const begun = performance.now();
        await startComposerProcess(composer, ENDLESS).exit;
        const spanMs = performance.now() - begun;
        let partials = 0;
        for (let round = 0; round < ROUNDS; round++) {
          const running = startComposerProcess(composer, ENDLESS);
          await Bun.sleep(Math.random() * spanMs);
          running.kill("SIGKILL");
          await running.exit;
          for (const name of readdirSync(composer.coreDir)) {
            expect(["partial", "spool", "dump"]).toContain(kindOfCoreFile(name));
            if (kindOfCoreFile(name) === "dump") continue;
            partials++;
            const fd = openSync(join(composer.coreDir, name), "r");
            expect(tryLock(fd)).toBe(true);
            closeSync(fd);
          }
        }
        for (const zip of Object.values(await judgeZips(composer.coreDir)))
          expect(zip).toMatchObject({ bad: null, info: { core_bytes: 20_000_000 } });
        expect(partials).toBeGreaterThan(0);
      }),
    120_000,
  );

gatedTest(
  "SIGTERM brings the deadline near: what came is published, whole and labelled",
  [readersObstacle()],
  () =>
    withFolder(async (folder) => {
      const composer = await installComposer(folder, { FILENAME_TEMPLATE: "T" });
      const running = startComposerProcess(composer, {
        script: "head -c 700000 /dev/urandom; exec sleep 600",
      });
      while (readdirSync(composer.coreDir).length === 0) await Bun.sleep(5);
      running.kill("SIGTERM");
      running.kill("SIGTERM");
      expect(await running.exit).toBe(32);
      const { "T.zip": zip } = await judgeZips(composer.coreDir);
      expect(zip).toMatchObject({
        bad: null,
        info: { truncated_by: "timeout", core_bytes: 700_000 },
      });
    }),
);

gatedTest(
  "twenty at once give twenty dumps, and a log of whole lines",
  [readersObstacle()],
  () =>
    withFolder(async (folder) => {
      const composer = await installComposer(folder, {
        FILENAME_TEMPLATE: "T",
        DISK_QUOTA: "100%",
        DISK_FREE: "0",
      });
      const running = Array.from({ length: 20 }, () =>
        startComposerProcess(composer, { script: "head -c 900000 /dev/urandom" }),
      );
      for (const { exit } of running) expect(await exit).toBe(0);
      const zips = Object.entries(await judgeZips(composer.coreDir));
      expect(zips).toHaveLength(20);
      for (const [name, zip] of zips)
        expect([name, zip.bad, zip.sizes[1], zip.info["dump_file"]]).toEqual([
          name,
          null,
          900_000,
          "T.core",
        ]);
      const log = await composer.log();
      for (const event of ["dump_started", "dump_published"])
        expect(log.filter((record) => record["event"] === event)).toHaveLength(20);
    }),
  60_000,
);
