// Crashes beyond core_pipe_limit start no composer: only the kernel's log knows of them, and the agent reads it.
import { expect } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openKernelLog } from "../../../src/host/kernel-log.ts";
import { withCorePattern } from "../../support/borrowed-kernel.ts";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { withFolder } from "../../support/temporary-folder.ts";

gatedTest(
  "a crash that the kernel dropped is found in its log, once, by this agent or the next",
  [kernelObstacle(), compilerObstacle()],
  async () => {
    await withFolder(async (folder) => {
      await mkdir(join(folder, "host"));
      const kernelLog = openKernelLog(join(folder, "host"));
      await kernelLog.readLosses();
      await withCorePattern(
        "|/bin/sleep 2",
        async () => {
          const sleepers = await Promise.all([startSleeper("mapping"), startSleeper("mapping")]);
          await Promise.all(sleepers.map((sleeper) => sleeper.crash()));
        },
        { corePipeLimit: "1" },
      );
      const losses = await kernelLog.readLosses();
      kernelLog.close();
      expect(losses.map(({ by }) => by)).toEqual(["pipe limit"]);
      expect(losses[0]?.message).toContain("mapping");
      const next = openKernelLog(join(folder, "host"));
      expect(await next.readLosses()).toEqual([]);
      next.close();
    });
  },
);
