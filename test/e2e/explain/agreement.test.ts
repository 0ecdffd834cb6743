// Real crashes, unwound by us and by gdb from the same core: the same frames in the same order. At least 95 % of the
// threads without generated code must agree; those that do not are named.
import { expect } from "bun:test";
import { join } from "node:path";
import {
  buildCrashes,
  buildObstacle,
  EXPLAIN_SOURCES,
  type CrashBuild,
} from "../../support/crash-builds.ts";
import { crashInDebugger } from "../../support/debugged-core.ts";
import { findProgram, gatedTest, missingProgram } from "../../support/gate.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { compareStacks, differingNames, unwindCore } from "../../support/unwound-core.ts";

const needsGdb = missingProgram("gdb");
const LEAST_AGREEMENT = 0.95;

const KINDS = [
  "null_write",
  "double_free",
  "overflow",
  "handler",
  "call_null",
  "divide",
  "past_end",
  "assert",
  "threads",
] as const;

/** Crashes each kind; the threads that agree, of all, must be enough. Names in the program must be gdb's. */
function agreementTest(build: CrashBuild, kinds: readonly string[], comparesNames = false): void {
  gatedTest(
    `threads of ${build} have the frames that gdb sees`,
    [needsGdb, buildObstacle(build)],
    async () => {
      const program = await buildCrashes(build);
      let [agreed, threads] = [0, 0];
      const differences: string[] = [];
      await withFolder(async (folder) => {
        for (const kind of kinds) {
          const core = join(folder, kind);
          const theirs = await crashInDebugger([program, kind], core);
          const ours = unwindCore(core);
          const found = compareStacks(ours, theirs);
          agreed += found.agreed;
          threads += found.threads;
          differences.push(...found.differences.map((line) => `${kind}: ${line}`));
          if (comparesNames) expect(differingNames(ours, theirs, program)).toEqual([]);
        }
      });
      if (differences.length > 0)
        console.log(`${build}: ${agreed} of ${threads}\n${differences.join("\n")}`);
      expect(agreed / threads).toBeGreaterThanOrEqual(LEAST_AGREEMENT);
    },
  );
}

agreementTest("c-O0", KINDS, true);
agreementTest("c-O2", ["null_write", "handler"], true);
agreementTest("c-stripped", ["double_free", "threads"]);
agreementTest("c-static", ["null_write", "handler", "threads"], true);
agreementTest("cc-O0", ["virtual"]);
agreementTest("cc-O2", ["exception", "template"]);
agreementTest("rust", ["thread"]);
agreementTest("go", ["goroutine", "panic"]);

gatedTest(
  "threads of Python have the frames that gdb sees",
  [needsGdb, missingProgram("python3")],
  async () => {
    const python = (await realPython()) ?? "python3";
    await withFolder(async (folder) => {
      const core = join(folder, "core");
      const theirs = await crashInDebugger([python, "-S", join(EXPLAIN_SOURCES, "crash.py")], core);
      expect(compareStacks(unwindCore(core), theirs)).toMatchObject({
        differences: [],
        threads: 4,
      });
    });
  },
);

/** python3 may be a shell script that finds the real one. */
async function realPython(): Promise<string | undefined> {
  const script = "import os, sys; print(os.path.realpath(sys.executable))";
  const child = Bun.spawn([findProgram("python3") ?? "python3", "-c", script]);
  return (await child.stdout.text()).trim() || undefined;
}
