// An unprivileged process maps 60 TB and touches two pages. The kernel writes nothing on its way through the hole, and
// so does not notice that its reader has gone: the process, and its place under core_pipe_limit, must be freed by force.
import { expect } from "bun:test";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { readInfo } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle, socketObstacle } from "../../support/gate.ts";
import { withComposer, type Way } from "../../support/installed-composer.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [compilerObstacle(), readersObstacle()];
const NOBODY = 65_534;
/** Far beyond TIMEOUT, and nothing beside the hours that the kernel would take. */
const HELD_MAX_MS = 30_000;

interface Cut {
  what: string;
  way: Way;
  settings: Record<string, string | number>;
  truncated_by: string;
}

const CUTS: readonly Cut[] = [
  { what: "the deadline", way: "pipe", settings: { TIMEOUT: 1 }, truncated_by: "timeout" },
  {
    what: "the size limit",
    way: "pipe",
    settings: { MAX_CORE_SIZE: 4096 },
    truncated_by: "size_limit",
  },
  { what: "the deadline", way: "@@", settings: { TIMEOUT: 1 }, truncated_by: "timeout" },
];

for (const { what, way, settings, truncated_by } of CUTS)
  gatedTest(
    `${what} frees it (${way === "pipe" ? "pipe" : "socket"})`,
    [way === "pipe" ? kernelObstacle() : socketObstacle(), ...obstacles],
    () =>
      withComposer(
        settings,
        async (composer) => {
          const vast = await startSleeper("vast", ["60", String(NOBODY)]);
          try {
            const ended = vast.crash().then(() => "ended");
            expect(await Promise.race([ended, Bun.sleep(HELD_MAX_MS)])).toBe("ended");
            const [zip = "none"] = await composer.zips(1);
            const info = await readInfo(zip);
            expect(info).toMatchObject({ uid: NOBODY, core_complete: false, truncated_by });
            expect(await composer.log()).toContainEqual(
              expect.objectContaining({ event: "process_killed", host_pid: vast.pid }),
            );
          } finally {
            await vast.end();
          }
        },
        way,
      ),
  );
