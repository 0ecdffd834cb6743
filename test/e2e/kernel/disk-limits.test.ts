// More crashes than a small disk can hold: quota and floor are held at every moment, the oldest dumps give way,
// and no crash goes unlogged. And a crash loop that is not collected for ever.
import { expect } from "bun:test";
import { join } from "node:path";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { checkDump } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { measureDisk, withSmallDisk } from "../../support/small-disk.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [kernelObstacle(), compilerObstacle(), readersObstacle()];
const MIB = 2 ** 20;
const CRASHES = 50;

gatedTest(
  `a storm of ${CRASHES} crashes of 10 MB on a disk of 64 MB stays within quota and floor`,
  obstacles,
  async () => {
    await withSmallDisk("64m", async (CORE_DIR) => {
      const limits = { DISK_QUOTA: "60%", DISK_FREE: "25%", DISK_RESERVE: "0" };
      await withComposer({ CORE_DIR, ...limits }, async (composer) => {
        let mostUsed = 0;
        let leastFree = 1;
        const watch = setInterval(async () => {
          const { usedBytes, freeShare } = await measureDisk(CORE_DIR);
          mostUsed = Math.max(mostUsed, usedBytes);
          leastFree = Math.min(leastFree, freeShare);
        }, 5);
        const batch = 10;
        for (let round = 0; round < CRASHES / batch; round++) {
          const sleepers = await Promise.all(
            Array.from({ length: batch }, () => startSleeper("mapping", ["10", "random"])),
          );
          const ends = await Promise.all(sleepers.map((sleeper) => sleeper.crash()));
          for (const { signalCode } of ends) expect(signalCode).toBe("SIGSEGV");
        }
        const names = await composer.settledFiles();
        clearInterval(watch);
        const log = await composer.log();
        const events = (name: string) => log.filter(({ event }) => event === name);
        console.log(
          `most used ${(mostUsed / MIB).toFixed(1)} MiB of 64, least free ${(leastFree * 100).toFixed(0)} %,` +
            ` ${names.length} dumps left, ${events("dump_evicted").length} evicted,` +
            ` ${events("dump_published").filter(({ core_complete }) => core_complete === true).length} whole`,
        );
        expect(mostUsed).toBeLessThanOrEqual(0.6 * 64 * MIB);
        expect(leastFree).toBeGreaterThanOrEqual(0.25);
        expect(events("dump_started")).toHaveLength(CRASHES);
        const ended = events("dump_published").length + events("dump_failed").length;
        expect(ended).toBe(CRASHES);
        expect(names.length + events("dump_evicted").length + events("dump_failed").length).toBe(
          CRASHES,
        );
        for (const name of names) await checkDump(join(CORE_DIR, name));
      });
    });
  },
);

gatedTest(
  "a crash loop leaves as many dumps as it may, and the rest is counted",
  obstacles,
  async () => {
    await withComposer({ CRASH_LOOP_LIMIT: 3 }, async (composer) => {
      for (let crash = 0; crash < 7; crash++) {
        const sleeper = await startSleeper("mapping", ["4"]);
        expect((await sleeper.crash()).signalCode).toBe("SIGSEGV");
      }
      expect(await composer.settledFiles()).toHaveLength(3);
      const log = await composer.log();
      const suppressed = log.filter(({ event }) => event === "dump_suppressed");
      expect(suppressed.map((line) => line["suppressed"])).toEqual([1, 2, 3, 4]);
      expect(String(suppressed[0]?.["workload"])).toContain("mapping");
      expect(log.filter(({ event }) => event === "dump_skipped")).toHaveLength(4);
    });
  },
);
