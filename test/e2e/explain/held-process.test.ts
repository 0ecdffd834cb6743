// A process that is held at its crash, here by gdb, explained by its memory and its mapped files (/proc/P/mem, map_files)
// and its core's notes alone: of a program whose file is gone too.
import { expect } from "bun:test";
import { chmodSync, copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { CrashSummary } from "../../../src/model/crash-summary.ts";
import { buildCrashes, buildObstacle, EXPLAIN_SOURCES } from "../../support/crash-builds.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const needsRoot = process.getuid?.() === 0 ? undefined : "needs root (map_files)";

gatedTest(
  "the held process tells as much as its core and its files would",
  [missingProgram("gdb"), needsRoot, buildObstacle("c-O0")],
  async () => {
    await withFolder(async (folder) => {
      const [program, output] = [join(folder, "gone"), join(folder, "summary.json")];
      copyFileSync(await buildCrashes("c-O0"), program);
      chmodSync(program, 0o755);
      const script = join(import.meta.dir, "../../support/held-explainer.ts");
      const orders = [
        "-ex",
        "run",
        "-ex",
        `shell rm ${program}`,
        "-x",
        join(EXPLAIN_SOURCES, "held.py"),
      ];
      const gdb = Bun.spawn(
        ["gdb", "-batch", "-nx", ...orders, "-ex", "kill", "--args", program, "double_free"],
        {
          env: {
            PATH: process.env["PATH"],
            HOME: "/dev/null",
            HELD_COMMAND: `${process.execPath} ${script}`,
            HELD_OUTPUT: output,
          },
          stdio: ["ignore", "ignore", "ignore"],
          timeout: 120_000,
          killSignal: "SIGKILL",
        },
      );
      await gdb.exited;
      expect(existsSync(program)).toBe(false);
      const { summary } = (await Bun.file(output).json()) as { summary: CrashSummary };
      expect(summary.title).toBe(
        "SIGABRT: double free or corruption (!prev) in free ← close_connection ← main (gone)",
      );
      const trusts = summary.crashing_thread?.frames.slice(1).map(({ trust }) => trust);
      expect(new Set(trusts)).toEqual(new Set(["cfi"]));
      expect(summary.incomplete).toEqual([]);
    });
  },
);
