// What the kernel leaves out of a core: a list of mapped files that is longer than its limit.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { NOTE_LIMIT_PATH } from "../../../src/model/core-note-limit.ts";
import type { Missing } from "../../../src/model/dump-info.ts";
import { compilerObstacle, runCrash } from "../../support/crash-program.ts";
import { checkDump } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

/** manyfiles' list has some 5.4 MB. */
function limitObstacle(): string | undefined {
  try {
    const limit = Number(readFileSync(`/proc/sys/${NOTE_LIMIT_PATH}`, "utf8"));
    return limit > 5_000_000 ? `kernel.core_file_note_size_limit is ${limit}` : undefined;
  } catch {
    return undefined; // before Linux 6.9 it is 4 MiB
  }
}

const obstacles = [kernelObstacle(), compilerObstacle(), readersObstacle(), limitObstacle()];

gatedTest(
  "a core without its list of mapped files says so, and is complete",
  obstacles,
  async () => {
    await withComposer({}, async (composer) => {
      const end = await runCrash("manyfiles", [composer.folder]);
      expect(end.signalCode).toBe("SIGSEGV");
      await runCrash("segfault", ["1"]);
      const zips = await composer.zips(2);
      const infos = await Promise.all(zips.map(async (zip) => (await checkDump(zip)).info));
      const leftOut = (program: string) => {
        const info = infos.find(({ exe }) => exe === program);
        expect(info?.["core_complete"]).toBe(true);
        const missing = (info?.["missing"] ?? []) as Missing[];
        return missing.find(({ what }) => what === "list of mapped files")?.why;
      };
      expect(leftOut("manyfiles")).toContain("kernel.core_file_note_size_limit");
      expect(leftOut("segfault")).toBeUndefined();
    });
  },
);
