// What the C library says before it ends a program: the summary has the same from the core as the program's own stderr
// had, for every kind of check.
import { expect } from "bun:test";
import { join } from "node:path";
import { explainFile } from "../../../src/reading/explain-file.ts";
import { withCoreFiles } from "../../support/core-files.ts";
import { buildCrashes, buildObstacle } from "../../support/crash-builds.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";

const KINDS = [
  "tcache",
  "twice",
  "inside",
  "mapped",
  "top",
  "next",
  "realloc",
  "fortify",
  "smash",
  "assert",
];

for (const build of ["aborts", "aborts-static"] as const)
  gatedTest(
    `${build}: the last words of malloc's checks, assert and the compiler's checks are in the summary`,
    [kernelObstacle(), buildObstacle(build)],
    () =>
      withCoreFiles(async (folder) => {
        const program = await buildCrashes(build);
        for (const kind of KINDS) {
          const limited = ["sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh", program, kind];
          const child = Bun.spawn(limited, {
            cwd: folder,
            stdio: ["ignore", "ignore", "pipe"],
            timeout: 60_000,
          });
          const said = (await child.stderr.text()).trim();
          await child.exited;
          const { abort_message: message, title } = await explainFile(
            join(folder, `core.${child.pid}`),
            {},
          );
          expect([kind, message]).toEqual([
            kind,
            { text: said, source: "abort_message", language: "glibc" },
          ]);
          expect(said).not.toBe("");
          expect(title).toMatch(/(?: in| ←) main \(crashes\)$/u);
        }
      }),
  );
