// The main road: a C program crashes, the kernel starts the composer, a debugger reads the core.
import { expect } from "bun:test";
import { join } from "node:path";
import { openCoreFile } from "../../../src/reading/core-bytes.ts";
import { matchModule } from "../../../src/reading/modules/module-match.ts";
import { findWanted } from "../../../src/reading/modules/wanted-modules.ts";
import {
  buildCrashProgram,
  compilerObstacle,
  runCrash,
  startSleeper,
  type CrashProgram,
} from "../../support/crash-program.ts";
import { checkDump } from "../../support/dump-check.ts";
import { gatedTest, kernelObstacle, missingProgram } from "../../support/gate.ts";
import { withComposer, type InstalledComposer } from "../../support/installed-composer.ts";
import { extract, readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [kernelObstacle(), compilerObstacle(), readersObstacle(), missingProgram("gdb")];

/** What gdb says to the commands about the core in the zip. */
async function debug(zip: string, program: CrashProgram, commands: string[], folder: string) {
  const core = join(folder, "core");
  await Bun.write(core, new Response(extract(zip, "*.core")));
  const orders = commands.flatMap((command) => ["-ex", command]);
  const gdb = Bun.spawn(
    ["gdb", "-batch", "-nx", ...orders, await buildCrashProgram(program), core],
    { env: { PATH: process.env["PATH"], HOME: folder }, stdio: ["ignore", "pipe", "ignore"] },
  );
  return gdb.stdout.text();
}

async function onlyZip(composer: InstalledComposer): Promise<string> {
  const [zip = "none", ...others] = await composer.zips(1);
  expect(others).toEqual([]);
  return zip;
}

gatedTest("gdb shows the crashing frames of a delivered core", obstacles, async () => {
  await withComposer({}, async (composer) => {
    const end = await runCrash("segfault", ["16"]);
    expect(end.signalCode).toBe("SIGSEGV");
    const zip = await onlyZip(composer);
    const { info } = await checkDump(zip);
    expect(info).toMatchObject({ exe: "segfault", signal: "11", core_complete: true });
    const trace = await debug(zip, "segfault", ["bt"], composer.folder);
    expect(trace).toMatch(/#0 .* write_through .*\n#1 .* handle_request .*\n#2 .* handle_request/);
    expect(trace).toMatch(/#3 .* main /);
    const core = openCoreFile(join(composer.folder, "core"));
    const wanted = findWanted(core, []).find(({ isProgram }) => isProgram);
    core.close();
    if (wanted === undefined) throw new Error("the core names no program");
    expect(await matchModule(await buildCrashProgram("segfault"), wanted)).toMatchObject({
      kind: "same_build",
    });
  });
});

gatedTest("every thread of the process is in the core", obstacles, async () => {
  await withComposer({}, async (composer) => {
    await runCrash("threads", ["40"]);
    const zip = await onlyZip(composer);
    await checkDump(zip);
    const threads = await debug(zip, "threads", ["info threads"], composer.folder);
    expect(threads.match(/LWP \d+/g)?.length).toBeGreaterThanOrEqual(42);
    expect(await debug(zip, "threads", ["bt 1"], composer.folder)).toContain("crash (");
  });
});

gatedTest("without compression the core is stored", obstacles, async () => {
  await withComposer({ COMPRESSION: false }, async (composer) => {
    await runCrash("segfault", ["16"]);
    const zip = await onlyZip(composer);
    const { core } = await checkDump(zip);
    expect(Bun.file(zip).size).toBeGreaterThan(core.received);
    expect(await debug(zip, "segfault", ["bt"], composer.folder)).toContain("write_through");
  });
});

gatedTest("the process is released at the end of its core", obstacles, async () => {
  await withComposer({}, async (composer) => {
    const sleeper = await startSleeper("sleeper");
    const end = await sleeper.crash("SIGABRT");
    expect(end.signalCode).toBe("SIGABRT");
    const { info } = await checkDump(await onlyZip(composer));
    expect(info).toMatchObject({ signal: "6", real_pid: String(sleeper.pid) });
  });
});

gatedTest("twenty programs that crash at once give twenty zips", obstacles, async () => {
  await withComposer({}, async (composer) => {
    const sleepers = await Promise.all(
      Array.from({ length: 20 }, () => startSleeper("mapping", ["8"])),
    );
    await Promise.all(sleepers.map((sleeper) => sleeper.crash()));
    const zips = await composer.zips(20);
    const dumps = await Promise.all(zips.map((zip) => checkDump(zip)));
    const pids = new Set(dumps.map(({ info }) => Number(info["real_pid"])));
    expect(pids).toEqual(new Set(sleepers.map(({ pid }) => pid)));
    expect(dumps.every(({ info }) => info["core_complete"] === true)).toBe(true);
    expect(await composer.settledFiles()).toHaveLength(20);
  });
});
