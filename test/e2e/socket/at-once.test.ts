// More crashes at once than core_pipe_limit allows: the kernel drops a pipe's (pipe-limit.test.ts), the listener
// has them wait.
import { expect } from "bun:test";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { withCorePattern } from "../../support/borrowed-kernel.ts";
import { gatedTest, socketObstacle } from "../../support/gate.ts";
import { installComposer } from "../../support/installed-composer.ts";
import { startListener } from "../../support/listener.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { planSocketPattern } from "../../../src/model/core-pattern.ts";

gatedTest(
  "with core_pipe_limit 1, six crashes at once are all kept",
  [socketObstacle(), compilerObstacle()],
  () =>
    withFolder(async (folder) => {
      const composer = await installComposer(folder);
      const listener = await startListener(composer.hostDir);
      try {
        await withCorePattern(
          planSocketPattern(composer.hostDir, true),
          async () => {
            const sleepers = await Promise.all(
              Array.from({ length: 6 }, () => startSleeper("mapping", ["24"])),
            );
            const ends = await Promise.all(sleepers.map((sleeper) => sleeper.crash()));
            expect(ends.map(({ signalCode }) => signalCode)).toEqual(Array(6).fill("SIGSEGV"));
            expect(await composer.zips(6)).toHaveLength(6);
            const said = await Bun.file(`${composer.hostDir}/listener.log`).text();
            expect(said).toContain("dump_waits");
          },
          { corePipeLimit: "1" },
        );
      } finally {
        await listener.stop();
      }
    }),
);
