// A process whose files are on a file system that stopped answering: nothing of the composer may wait for them.
import { expect } from "bun:test";
import { compilerObstacle } from "../../support/crash-program.ts";
import { readInfo } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { fuseObstacle, startStalled } from "../../support/stalled-program.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [kernelObstacle(), compilerObstacle(), fuseObstacle(), readersObstacle()];
/** Seconds. One that hangs is ended with its file system, long before anybody gives up waiting for its zip. */
const HANGS_AFTER = 20;

for (const [name, CORE_CONTENT] of [
  ["cdh-0123456789a", "full"],
  ["server", "full"],
  ["server", "stacks"],
] as const)
  gatedTest(
    `a process called ${name} there is dumped like any other (${CORE_CONTENT})`,
    obstacles,
    () =>
      withComposer({ TIMEOUT: 5, EXPLAIN_TIMEOUT: 1, CORE_CONTENT }, async (composer) => {
        const program = await startStalled(name, "sleeper");
        try {
          program.stall();
          const ended = program.crash().then(() => "ended");
          expect(await Promise.race([ended, Bun.sleep(HANGS_AFTER * 1000)])).toBe("ended");
          const [zip = "none"] = await composer.zips(1);
          expect(await readInfo(zip)).toMatchObject({
            exe: name,
            uid: 65534,
            core_complete: true,
            core_content: CORE_CONTENT,
          });
          // Whoever opens the program's file waits: that is not the composer.
          expect((await readInfo(zip))["missing"]).toContainEqual({
            what: "summary",
            why: "no answer in 1000 ms",
          });
          // A canary's would be hidden, and nobody's to deliver.
          expect(zip).not.toContain("canary");
        } finally {
          await program.end();
        }
      }),
  );

gatedTest(
  "memory that waits for such a file system holds up no core of the stacks",
  obstacles,
  () =>
    withComposer({ CORE_CONTENT: "stacks", EXPLAIN: false }, async (composer) => {
      const program = await startStalled("waiting", "trapped");
      try {
        program.stall();
        const ended = program.crash().then(() => "ended");
        expect(await Promise.race([ended, Bun.sleep(HANGS_AFTER * 1000)])).toBe("ended");
        const [zip = "none"] = await composer.zips(1);
        expect(await readInfo(zip)).toMatchObject({
          exe: "waiting",
          core_content: "stacks",
          core_complete: true,
          missing: [],
        });
      } finally {
        await program.end();
      }
    }),
);
