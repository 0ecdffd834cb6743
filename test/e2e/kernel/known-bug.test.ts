// COMP_KEEP_PER_BUG: the first whole dumps of a bug are kept; the next ones tell all but the core, and their processes
// are not held for it.
import { expect } from "bun:test";
import { buildCrashes, buildObstacle } from "../../support/crash-builds.ts";
import { runCrash } from "../../support/crash-program.ts";
import { readInfo } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle, missingProgram, socketObstacle } from "../../support/gate.ts";
import { withComposer, type Way } from "../../support/installed-composer.ts";
import { runTool } from "../../support/run-tool.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [
  kernelObstacle(),
  buildObstacle("c-O0"),
  missingProgram("unzip"),
  readersObstacle(),
];
const NOBODY = 65_534;

for (const COMPRESSION of [true, false])
  gatedTest(
    `the second core of a bug is left out, its summary is not (COMPRESSION=${COMPRESSION})`,
    obstacles,
    async () => {
      const program = await buildCrashes("c-O0");
      await withComposer(
        { KEEP_PER_BUG: 1, EXPLAIN_TIMEOUT: 30, COMPRESSION },
        async (composer) => {
          const infos: Record<string, unknown>[] = [];
          for (const [index, kind] of ["null_write", "null_write", "double_free"].entries()) {
            await Bun.spawn([program, kind], { stdio: ["ignore", "ignore", "ignore"] }).exited;
            const zips = await composer.zips(index + 1);
            const all = await Promise.all(
              zips.map(async (zip) => ({ zip, info: await readInfo(zip) })),
            );
            const known = new Set(infos.map(({ uuid }) => uuid));
            const newest = all.find(
              ({ info }) => info["exe"] === "crashes" && !known.has(info["uuid"]),
            );
            if (newest === undefined) throw new Error("no new dump");
            infos.push(newest.info);
            await runTool(["unzip", "-tq", newest.zip]);
          }
          const [first, second, other] = infos;
          expect(first).toMatchObject({ core_complete: true, truncated_by: null });
          expect(second).toMatchObject({
            bug: first?.["bug"],
            title: first?.["title"],
            core_bytes: 0,
            core_expected_bytes: first?.["core_bytes"],
            core_complete: false,
            truncated_by: "known_bug",
          });
          expect(other).toMatchObject({ core_complete: true });
          const left = (await composer.log()).filter(({ event }) => event === "core_left_out");
          expect(left).toEqual([expect.objectContaining({ bug: first?.["bug"], dumps: 1 })]);
        },
      );
    },
  );

for (const way of ["pipe", "@@"] satisfies Way[])
  gatedTest(
    `a known bug's process is let go although its dump would take hours (by ${way})`,
    [...obstacles, way === "pipe" ? undefined : socketObstacle()],
    () =>
      withComposer(
        { KEEP_PER_BUG: 1, EXPLAIN_TIMEOUT: 30, TIMEOUT: 600 },
        async (composer) => {
          for (const terabytes of ["0", "60"]) {
            await runCrash("vast", [terabytes, String(NOBODY), "null"]);
            await composer.zips(1);
          }
          const infos = await Promise.all((await composer.zips(2)).map(readInfo));
          // Whatever else crashes on this machine meanwhile is no concern of ours.
          const [cut, ...others] = infos
            .filter(({ exe }) => exe === "vast")
            .toSorted((a, b) => Number(a["core_bytes"]) - Number(b["core_bytes"]));
          expect(others).toMatchObject([{ core_complete: true, bug: cut?.["bug"] }]);
          expect(cut).toMatchObject({ core_bytes: 0, truncated_by: "known_bug" });
          expect(Number(cut?.["core_expected_bytes"])).toBeGreaterThan(2 ** 45);
        },
        way,
      ),
  );
