// Every runtime ends a program for real, and a summary made of its core and of what it wrote has its last words; beside
// what the C library left in memory, which a log cannot forge.
import { expect } from "bun:test";
import { join } from "node:path";
import { explainCore } from "../../../src/explain/explain.ts";
import { openFileBytes } from "../../../src/host/file-bytes.ts";
import { openLocalModules } from "../../../src/host/local-modules.ts";
import { withCoreFiles } from "../../support/core-files.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { PANICS, runPanic } from "../../support/panics.ts";

for (const panic of PANICS)
  gatedTest(
    `${panic.name}: the summary has the last words`,
    [kernelObstacle(), panic.obstacle()],
    () =>
      withCoreFiles(async (folder) => {
        const { pid, log } = await runPanic(panic, folder);
        const core = openFileBytes(join(folder, `core.${pid}`));
        const modules = openLocalModules({});
        try {
          const { panic: found } = explainCore({ core, modules, log });
          expect(found).toMatchObject({ language: panic.language, source: "log" });
          expect(found?.text).toMatch(panic.text);
          // The last in the log counts, whoever wrote it; what the memory holds does not change by it.
          const forged = explainCore({ core, modules, log: `${log}\npanic: forged\n` });
          expect(forged.panic).toEqual({ text: "panic: forged", source: "log", language: "go" });
          expect(forged.abort_message).toEqual(explainCore({ core, modules }).abort_message);
          expect(forged.title).not.toContain("forged");
        } finally {
          modules.close();
          core.close();
        }
      }),
  );
