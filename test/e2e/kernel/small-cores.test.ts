// Cores of the stacks alone, beside the whole cores of the same crashes (which the previous handler keeps): a debugger
// and our own explanation say the same of both.
import { expect } from "bun:test";
import { chmod, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CrashSummary } from "../../../src/model/crash-summary.ts";
import { explainFile } from "../../../src/reading/explain-file.ts";
import { runCrash, startSleeper } from "../../support/crash-program.ts";
import { checkDump } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle, missingProgram, socketObstacle } from "../../support/gate.ts";
import { withComposer, type InstalledComposer } from "../../support/installed-composer.ts";
import { openZipOf, type OpenedZip } from "../../support/opened-zip.ts";
import {
  backtraces,
  crashThreaded,
  THREADED_LANGUAGES,
  threadedCommand,
  threadedObstacle,
} from "../../support/threaded-programs.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [kernelObstacle(), readersObstacle()];
const THREADS = { node: 6 };

/** The dump of the process with this pid. */
async function dumpOf(composer: InstalledComposer, pid: number): Promise<OpenedZip> {
  await composer.zips(1);
  const started = (await composer.log()).find(({ host_pid }) => host_pid === pid);
  return openZipOf(String(started?.["exe"]), composer.coreDir, composer.folder);
}

/** A handler that keeps whole cores, each under its process's pid: other programs of the machine crash too. */
async function keepWhole(folder: string): Promise<string> {
  const handler = join(folder, "keep");
  await mkdir(folder, { recursive: true });
  await writeFile(handler, `#!/bin/sh\nexec cat >${folder}/$1\n`);
  await chmod(handler, 0o755);
  return `|${handler} %P`;
}

const stacksOf = ({ crashing_thread: crashed, threads }: CrashSummary) => ({
  crashed: crashed?.frames.map(({ address, function: name }) => [address, name]),
  others: threads.map(({ frames }) => frames.map(({ address, function: name }) => [address, name])),
});

for (const language of THREADED_LANGUAGES)
  gatedTest(
    `gdb sees every thread of ${language} in a small core as in the whole one`,
    [...obstacles, missingProgram("gdb"), threadedObstacle(language)],
    async () => {
      const command = await threadedCommand(language, language === "node" ? THREADS.node : 20);
      await withFolder(async (folder) => {
        const handler = await keepWhole(folder);
        const settings = { CORE_CONTENT: "stacks", EXPLAIN_TIMEOUT: 30, PREVIOUS_HANDLER: handler };
        await withComposer(settings, async (composer) => {
          const pid = await crashThreaded(command);
          const whole = join(folder, String(pid));
          const dump = await dumpOf(composer, pid);
          const { info } = await checkDump(dump.path);
          expect(info).toMatchObject({ core_content: "stacks", core_complete: true, missing: [] });
          const small = join(composer.folder, "small-core");
          await writeFile(small, await dump.bytes(".core"));
          const [program = ""] = command;
          const [ofSmall, ofWhole] = await Promise.all([
            backtraces(program, small),
            backtraces(program, whole),
          ]);
          expect(ofSmall.match(/^Thread \d+/gm)?.length).toBeGreaterThan(
            language === "node" ? 6 : 10,
          );
          expect(ofSmall).toBe(ofWhole);
          const explained = await Promise.all(
            [small, whole].map((core) => explainFile(core, { sysroot: "/" })),
          );
          const [ours, theirs] = explained.map(stacksOf);
          expect(ours).toEqual(theirs);
          const sizes = { core: (await stat(whole)).size, small: info["core_bytes"] };
          expect(info["core_omitted_bytes"]).toBe(sizes.core - Number(sizes.small));
          console.log(
            `${language}: ${JSON.stringify({ ...sizes, zip: (await stat(dump.path)).size })}`,
          );
        });
      });
    },
  );

gatedTest("auto takes small cores whole, and of large ones the stacks", obstacles, () =>
  withComposer({ CORE_CONTENT: "auto", FULL_CORE_MAX: "16Mi" }, async (composer) => {
    for (const [megabytes, content] of [
      ["1", "full"],
      ["40", "stacks"],
    ] as const) {
      const sleeper = await startSleeper("mapping", [megabytes]);
      await sleeper.crash();
      const dump = await dumpOf(composer, sleeper.pid);
      await rm(dump.path);
      expect(dump.info).toMatchObject({ core_content: content, core_complete: true, missing: [] });
      expect(dump.info.core_omitted_bytes > 40e6).toBe(content === "stacks");
    }
  }),
);

gatedTest("64 GB of memory that is hardly there are not read at all", obstacles, () =>
  withComposer({ CORE_CONTENT: "stacks" }, async (composer) => {
    const sleeper = await startSleeper("sparse", ["64"]);
    await sleeper.crash();
    const { info } = await dumpOf(composer, sleeper.pid);
    expect(info).toMatchObject({ core_content: "stacks", core_complete: true, missing: [] });
    expect(info.core_omitted_bytes).toBeGreaterThan(64 * 2 ** 30);
    expect(info.core_bytes).toBeLessThan(2e6);
  }),
);

gatedTest("of 2,000 threads each has its stack", obstacles, () =>
  withComposer({ CORE_CONTENT: "stacks" }, async (composer) => {
    const { signalCode } = await runCrash("threads", ["2000"]);
    expect(signalCode).toBe("SIGSEGV");
    const [zip = "none"] = await composer.zips(1);
    const { info } = await checkDump(zip);
    expect(info).toMatchObject({ core_content: "stacks", core_complete: true });
  }),
);

for (const way of ["@", "@@"] as const)
  gatedTest(
    `by the coredump socket (${way}) a core of the stacks is like the pipe's`,
    [socketObstacle(), readersObstacle(), missingProgram("gdb"), threadedObstacle("c")],
    async () => {
      const command = await threadedCommand("c", 20);
      const run = async (composer: InstalledComposer) => {
        const dump = await dumpOf(composer, await crashThreaded(command));
        const { info } = await checkDump(dump.path);
        expect(info).toMatchObject({ core_content: "stacks", core_complete: true, missing: [] });
        const core = join(composer.folder, "small-core");
        await writeFile(core, await dump.bytes(".core"));
        const threads = await backtraces(command[0] ?? "", core);
        expect(threads.match(/ in descend \(depth=0, who=0x\w+ "thread number \d+"/g)?.length).toBe(
          21,
        );
        expect(threads.match(/^Thread \d+/gm)?.length).toBe(22);
      };
      await withComposer({ CORE_CONTENT: "stacks" }, run, way);
    },
  );
