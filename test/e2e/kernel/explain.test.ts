// Crashes through the kernel, explained from what it wrote, by the composer into a zip and straight into files.
import { expect } from "bun:test";
import { chmodSync, copyFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { explainFile } from "../../../src/reading/explain-file.ts";
import { crashIntoFile, withCoreFiles } from "../../support/core-files.ts";
import { buildCrashes, buildObstacle } from "../../support/crash-builds.ts";
import { readInDebugger } from "../../support/debugged-core.ts";
import { executablePath } from "../../support/executable.ts";
import { gatedTest, kernelObstacle, missingProgram } from "../../support/gate.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { runTool } from "../../support/run-tool.ts";
import { compareStacks, unwindCore } from "../../support/unwound-core.ts";

const obstacles = [kernelObstacle(), buildObstacle("c-O0")];
gatedTest("a delivered dump explains itself, in the terminal too", obstacles, async () => {
  const program = await buildCrashes("c-O0");
  await withComposer({}, async (composer) => {
    await Bun.spawn([program, "double_free"], { stdio: ["ignore", "ignore", "ignore"] }).exited;
    const [zip = "none"] = await composer.zips(1);
    const title =
      "SIGABRT: double free or corruption (!prev) in free ← close_connection ← main (crashes)";
    expect((await explainFile(zip, {})).title).toBe(title);
    const executable = await executablePath();
    expect(await runTool([executable, "explain", zip])).toContain("main+0x");
    const info = await runTool([executable, "info", zip]);
    expect(info).toContain("killed by abort()");
    expect(info.split("\n").filter((line) => line.includes("close_connection"))).toHaveLength(2);
  });
});

gatedTest(
  "of a thousand threads 64 have the frames that gdb sees, the others are counted",
  [...obstacles, missingProgram("gdb")],
  async () => {
    const program = await buildCrashes("c-O0");
    await withCoreFiles(async (folder) => {
      const core = await crashIntoFile(folder, [program, "threads", "1000"]);
      const found = compareStacks(unwindCore(core), await readInDebugger(program, core));
      expect(found).toEqual({ agreed: 64, threads: 64, differences: [] });
      const summary = await explainFile(core, {});
      expect(summary.process.threads).toBe(1001);
      expect(summary.threads.reduce((sum, { count }) => sum + count, 0)).toBe(63);
    });
  },
);

gatedTest(
  "a program whose file is gone is told by its libraries and frame pointers",
  obstacles,
  async () => {
    await withCoreFiles(async (folder) => {
      const program = join(folder, "gone");
      copyFileSync(await buildCrashes("c-O0"), program);
      chmodSync(program, 0o755);
      const command = ["sh", "-c", `exec 3< "$0"; rm "$0"; exec /proc/self/fd/3 divide`, program];
      const core = await crashIntoFile(folder, command);
      const summary = await explainFile(core, {});
      expect(summary.process.exe).toContain("(deleted)");
      expect(summary.signal?.sentence).toContain("division by zero");
      expect(summary.crashing_thread?.frames.length).toBeGreaterThan(1);
      expect(summary.incomplete.map(({ why }) => why)).toContain("its file is not here");
      expect(() => unlinkSync(program)).toThrow("ENOENT");
    });
  },
);
