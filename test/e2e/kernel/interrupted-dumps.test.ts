// Dumps that end too early: SIGKILL to the crashing process, a deadline, a size limit, a full disk. Each
// gives a valid zip that says so, and frees the process.
import { expect } from "bun:test";
import { join } from "node:path";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { checkDump } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { withSmallDisk } from "../../support/small-disk.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [kernelObstacle(), compilerObstacle(), readersObstacle()];
/** Moments tried; set CDH_TEST_ROUNDS=200 for the long campaign. */
const ROUNDS = Number(process.env["CDH_TEST_ROUNDS"] ?? 12);
const MEMORY_MB = "48";

gatedTest(
  `SIGKILL at ${ROUNDS} random moments of a dump: every zip valid, every label right`,
  obstacles,
  async () => {
    await withComposer({}, async (composer) => {
      let longestMs = 0;
      let [whole, cut] = [0, 0];
      for (let round = 0; round < ROUNDS; round++) {
        const sleeper = await startSleeper("mapping", [MEMORY_MB]);
        const crash = sleeper.crash();
        // The first dump is let be: its time is the span in which the others are killed.
        if (round > 0) await Bun.sleep(Math.random() * longestMs).then(() => sleeper.end());
        const { heldMs } = await crash;
        if (round === 0) longestMs = heldMs;
        const names = await composer.settledFiles();
        for (const zip of names.map((name) => join(composer.coreDir, name))) {
          expect(zip).toEndWith(".zip");
          const { info } = await checkDump(zip);
          if (info["core_complete"] === true) whole++;
          else {
            expect(info["truncated_by"]).toBe("eof");
            cut++;
          }
          await Bun.file(zip).delete();
        }
      }
      // Killed before its dump began, a process starts no composer: no line in the log, and no zip.
      const events = (await composer.log()).map(({ event }) => event);
      const started = events.filter((event) => event === "dump_started").length;
      console.log(
        `${ROUNDS} rounds within ${longestMs.toFixed(0)} ms: ${started} dumps, ${whole} whole, ${cut} cut`,
      );
      expect(events.filter((event) => event === "dump_published")).toHaveLength(started);
      expect(whole + cut).toBe(started);
      expect(whole).toBeGreaterThan(0);
      if (ROUNDS > 5) expect(cut).toBeGreaterThan(0);
    });
  },
  1_200_000,
);

gatedTest("the deadline closes the zip and frees the process", obstacles, async () => {
  await withComposer({ TIMEOUT: 1 }, async (composer) => {
    const sleeper = await startSleeper("mapping", ["1500", "random"]);
    const { signalCode } = await sleeper.crash();
    expect(signalCode).toBe("SIGSEGV");
    const [zip = "none"] = await composer.zips(1);
    const { info } = await checkDump(zip);
    expect(info).toMatchObject({ core_complete: false, truncated_by: "timeout" });
  });
});

gatedTest("a core beyond the size limit is cut there", obstacles, async () => {
  await withComposer({ MAX_CORE_SIZE: "20Mi" }, async (composer) => {
    const sleeper = await startSleeper("mapping", [MEMORY_MB]);
    await sleeper.crash();
    const [zip = "none"] = await composer.zips(1);
    const { info, core } = await checkDump(zip);
    expect(info).toMatchObject({ core_complete: false, truncated_by: "size_limit" });
    expect(core.received).toBe(20 * 2 ** 20);
  });
});

for (const [title, reserve] of [
  ["a disk that runs full", "0"],
  ["a disk that reaches its reserve", "16Mi"],
] as const)
  gatedTest(`${title} leaves a valid, labelled zip`, obstacles, async () => {
    await withSmallDisk("48m", async (coreDir) => {
      await withComposer({ CORE_DIR: coreDir, DISK_RESERVE: reserve }, async (composer) => {
        const sleeper = await startSleeper("mapping", ["150", "random"]);
        expect((await sleeper.crash()).signalCode).toBe("SIGSEGV");
        const [zip = "none", ...others] = await composer.zips(1);
        expect(others).toEqual([]);
        const { info, core } = await checkDump(zip);
        expect(info).toMatchObject({ core_complete: false, truncated_by: "no_space" });
        expect(core.received).toBeGreaterThan(8 * 2 ** 20);
        expect(await composer.settledFiles()).toHaveLength(1);
      });
    });
  });
