// The arm64 executable, run by an emulator of that processor where this machine is another.
import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { TARGETS } from "../../build/targets.ts";
import { writeSampleCore } from "../support/core-sample.ts";
import { checkDump } from "../support/dump-check.ts";
import { builtExecutable, linkExecutable } from "../support/executable.ts";
import { findProgram, gatedTest, missingProgram } from "../support/gate.ts";
import { withFolder } from "../support/temporary-folder.ts";
import { readersObstacle } from "../support/zip-readers.ts";

const EMULATOR = "qemu-aarch64-static";
/** Debian's libc6-arm64-cross. */
const LIBRARIES = "/usr/aarch64-linux-gnu";
const obstacles = [
  process.arch === "x64" ? undefined : "is what the other tests run here",
  missingProgram(EMULATOR),
  existsSync(join(LIBRARIES, "lib")) ? undefined : "needs libc6-arm64-cross",
];

async function emulate(folder: string, args: string[], stdin: string | null) {
  const [target] = TARGETS.filter(({ name }) => name === "linux-arm64-gnu");
  if (target === undefined) throw new Error("no arm64 target");
  const executable = join(folder, "core-dump-handler");
  await linkExecutable(await builtExecutable(target), executable);
  const child = Bun.spawn([findProgram(EMULATOR) ?? "", "-L", LIBRARIES, executable, ...args], {
    stdio: [stdin === null ? "ignore" : Bun.file(stdin), "pipe", "pipe"],
    env: {},
    timeout: 120_000,
    killSignal: "SIGKILL",
  });
  const texts = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode: child.exitCode, output: `${texts[0]}${texts[1]}` };
}

gatedTest("the arm64 executable says its version", obstacles, async () => {
  await withFolder(async (folder) => {
    const { exitCode, output } = await emulate(folder, ["--version"], null);
    expect(output).toMatch(/^core-dump-handler \d+\.\d+\.\d+\n$/);
    expect(exitCode).toBe(0);
  });
});

gatedTest("the arm64 composer takes a core", [...obstacles, readersObstacle()], async () => {
  await withFolder(async (folder) => {
    const coreDir = join(folder, "cores");
    await mkdir(coreDir, { mode: 0o700 });
    const core = join(folder, "sample.core");
    await writeSampleCore(core);
    const { exitCode } = await emulate(
      folder,
      ["composer", `-d=${coreDir}`, "-p=1", "-s=11", "-t=1700000000", "-h=host", "-e=prog"],
      core,
    );
    expect(exitCode).toBe(0);
    const [zip = "none"] = [...new Bun.Glob("*.zip").scanSync(coreDir)];
    const dump = await checkDump(join(coreDir, zip));
    expect(dump.core.received).toBe(Bun.file(core).size);
    expect(dump.info).toMatchObject({ exe: "prog", core_complete: true });
  });
});
