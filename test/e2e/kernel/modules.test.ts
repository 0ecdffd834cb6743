// What a crash leaves for debuggers: the files that its process had mapped, each once, whatever becomes of them.
import { expect } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { listKeptModules } from "../../../src/host/kept-modules.ts";
import { parseModuleList } from "../../../src/model/module-list.ts";
import { compilerObstacle } from "../../support/crash-program.ts";
import { readInfo } from "../../support/dump-check.ts";
import { eventually } from "../../support/eventually.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { buildOwnProgram } from "../../support/own-program.ts";
import { fuseObstacle, startStalled } from "../../support/stalled-program.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { extractText, readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [kernelObstacle(), compilerObstacle(), readersObstacle()];
const sha256 = (path: string) =>
  new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

async function crash(program: string): Promise<void> {
  await Bun.spawn([program, "now"], { stdio: ["ignore", "ignore", "ignore"] }).exited;
}

gatedTest(
  "program and libraries are kept once, from files that were deleted meanwhile",
  obstacles,
  () =>
    withFolder((folder) =>
      withComposer({ MODULES: "all", EXPLAIN_TIMEOUT: 30 }, async (composer) => {
        const { program, library } = await buildOwnProgram(folder);
        const digests = [program, library].map(sha256);
        const running = Bun.spawn([program], { stdio: ["pipe", "pipe", "ignore"] });
        await running.stdout.getReader().read();
        for (const path of [program, library]) rmSync(path);
        void running.stdin.end();
        await running.exited;
        const [zip = "none"] = await composer.zips(1);
        const listed = parseModuleList(JSON.parse(await extractText(zip, "*-modules.json"))) ?? [];
        expect(listed.map((module) => module.sha256)).toEqual(expect.arrayContaining(digests));
        expect(
          listed.every(({ left_out, id, build_id }) => left_out === null && id === build_id),
        ).toBe(true);
        const info = await readInfo(zip);
        expect(info).toMatchObject({ module_count: listed.length, missing: [] });
        expect(info["modules"]).toEqual(listed.map(({ id }) => id));
        await eventually(() => listKeptModules(composer.coreDir).length === listed.length);
        for (const { path, sha256: digest } of listKeptModules(composer.coreDir))
          expect(sha256(path)).toBe(digest);
        await buildOwnProgram(folder);
        await crash(program);
        await composer.zips(2);
        // Only the two that it was built of are new, if the compiler made others at all.
        const names = new Set(listKeptModules(composer.coreDir).map((module) => module.sha256));
        expect(names.size).toBe(listKeptModules(composer.coreDir).length);
      }),
    ),
);

gatedTest(
  "the program alone, of files that are small enough, and without a summary",
  obstacles,
  () =>
    withFolder(async (folder) => {
      const { program } = await buildOwnProgram(folder);
      await withComposer({ MODULES: "program", EXPLAIN: false }, async (composer) => {
        await crash(program);
        const [zip = "none"] = await composer.zips(1);
        await eventually(() => listKeptModules(composer.coreDir).length === 1);
        expect(listKeptModules(composer.coreDir)[0]?.sha256).toBe(sha256(program));
        expect(await readInfo(zip)).toMatchObject({ module_count: 1, missing: [] });
      });
      await withComposer({ MODULES: "all", MODULE_MAX_SIZE: "1Mi" }, async (composer) => {
        await crash(program);
        const [zip = "none"] = await composer.zips(1);
        const info = await readInfo(zip);
        // The C library.
        expect(info["missing"]).toEqual([
          { what: "modules", why: expect.stringContaining("more than COMP_MODULE_MAX_SIZE") },
        ]);
        const count = info["module_count"];
        await eventually(() => listKeptModules(composer.coreDir).length === Number(count) - 1);
      });
    }),
);

gatedTest(
  "a program on a file system that stopped answering is left out, and nobody waits for it",
  [...obstacles, fuseObstacle()],
  () =>
    withComposer({ MODULES: "all", EXPLAIN_TIMEOUT: 1 }, async (composer) => {
      const stalled = await startStalled("server", "sleeper");
      try {
        stalled.stall();
        await stalled.crash();
        const [zip = "none"] = await composer.zips(1);
        const info = await readInfo(zip);
        expect(info).toMatchObject({ core_complete: true });
        expect(info["missing"]).toContainEqual({
          what: "modules",
          why: "not all mapped files could be read in time",
        });
      } finally {
        await stalled.end();
      }
    }),
);

gatedTest("a full disk takes a core before a module", obstacles, () =>
  withFolder(async (folder) => {
    const { program } = await buildOwnProgram(folder);
    await withComposer({ MODULES: "all", DISK_QUOTA: "5Mi" }, async (composer) => {
      await crash(program);
      const [zip = "none"] = await composer.zips(1);
      expect(await readInfo(zip)).toMatchObject({ core_complete: true });
      const said = async () =>
        (await composer.log()).filter(({ event }) => event === "modules_left_out");
      await eventually(async () => (await said()).length > 0);
      expect(await said()).toMatchObject([
        { count: 1, why: expect.stringMatching(/room|waiting/) },
      ]);
    });
  }),
);
