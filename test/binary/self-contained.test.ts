// The self-contained variant: every build can be made so, and the result runs in a root that has nothing else.
import { describe, expect, test } from "bun:test";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { TARGETS } from "../../build/targets.ts";
import { planPatches, planSelfContained } from "../../src/agent/install/self-contained.ts";
import { readElfProgram } from "../../src/host/elf-program.ts";
import { copyFileAtomically, sameContent } from "../../src/host/files.ts";
import { readElfFile } from "../support/elf-file.ts";
import { builtExecutable, executablePath } from "../support/executable.ts";
import { findProgram, gatedTest, missingProgram } from "../support/gate.ts";
import { runTool } from "../support/run-tool.ts";
import { withFolder } from "../support/temporary-folder.ts";

const BUILD_TIMEOUT_MS = 120_000;
const CORE = "not an ELF core, but one that arrives";
const ARGUMENTS = ["-P=1", "-p=1", "-s=11", "-t=1700000000", "-e=app", "-h=host"];
const needsRoot = process.getuid?.() === 0 ? undefined : "needs root (chroot)";

/** As long as core_pattern allows a HOST_DIR to be. */
const LONG_HOST_DIR = `/${"d".repeat(100)}`;

for (const target of TARGETS)
  describe(target.name, () => {
    test(
      "has the room for a loader below any HOST_DIR, and names it afterwards",
      async () => {
        const executable = await builtExecutable(target);
        const loader = `${LONG_HOST_DIR}/lib/ld-linux-aarch64.so.1`;
        const program = await readElfProgram(executable);
        const patches = planPatches(executable, program, Buffer.from(`${loader}\0`));
        await withFolder(async (folder) => {
          const copy = join(folder, "cdc");
          await copyFileAtomically(executable, copy, 0o700, patches);
          const { interpreter, needed } = await readElfFile(copy);
          expect(interpreter).toBe(loader);
          expect(needed).toEqual((await readElfFile(executable)).needed);
          expect(await sameContent(executable, copy, patches)).toBe(true);
          expect(await sameContent(executable, copy)).toBe(false);
        });
      },
      BUILD_TIMEOUT_MS,
    );
  });

gatedTest(
  "it composes in a root that holds nothing but HOST_DIR, /proc and /dev",
  [needsRoot],
  async () => {
    const executable = await executablePath();
    await withFolder(async (folder) => {
      const root = join(folder, "root");
      const hostDir = "/opt/dumps";
      const { patches, libraries } = await planSelfContained(executable, hostDir);
      for (const part of ["proc", "dev", `${hostDir}/lib`])
        mkdirSync(join(root, part), { recursive: true });
      for (const library of libraries)
        copyFileSync(library, join(root, hostDir, "lib", basename(library)));
      await copyFileAtomically(executable, join(root, hostDir, "cdc"), 0o700, patches);
      await runTool(["mount", "-t", "proc", "proc", join(root, "proc")]);
      try {
        await runTool(["mount", "--bind", "/dev", join(root, "dev")]);
        try {
          await compose([findProgram("chroot") ?? "chroot", root, `${hostDir}/cdc`]);
        } finally {
          await runTool(["umount", join(root, "dev")]);
        }
      } finally {
        await runTool(["umount", join(root, "proc")]);
      }
      expect(zipsIn(join(root, hostDir, "cores"))).toHaveLength(1);
      rmSync(root, { recursive: true });
    });
  },
  BUILD_TIMEOUT_MS,
);

const CROSS = "/usr/aarch64-linux-gnu/lib";
const arm64 = TARGETS.find(({ name }) => name === "linux-arm64-gnu");

gatedTest(
  "arm64's too, under an emulator, without any library of arm64 in the usual places",
  [
    missingProgram("qemu-aarch64-static"),
    existsSync(`${CROSS}/libc.so.6`) ? undefined : "needs libc6-arm64-cross",
  ],
  async () => {
    if (arm64 === undefined) throw new Error("there is no arm64 target");
    const executable = await builtExecutable(arm64);
    await withFolder(async (folder) => {
      const program = await readElfProgram(executable);
      const loader = join(folder, "lib", basename(program.loader ?? ""));
      const patches = planPatches(executable, program, Buffer.from(`${loader}\0`));
      cpSync(CROSS, join(folder, "lib"), { recursive: true, dereference: true, filter: isLibrary });
      await copyFileAtomically(executable, join(folder, "cdc"), 0o700, patches);
      await compose([findProgram("qemu-aarch64-static") ?? "", "-0", "cdc", join(folder, "cdc")]);
      expect(zipsIn(join(folder, "cores"))).toHaveLength(1);
    });
  },
  BUILD_TIMEOUT_MS,
);

function isLibrary(path: string): boolean {
  return path === CROSS || /\/(ld-linux-aarch64|lib(c|m|dl|pthread))\.so\.\d$/.test(path);
}

async function compose(command: string[]): Promise<void> {
  const child = Bun.spawn([...command, ...ARGUMENTS], {
    env: {},
    stdin: Buffer.from(CORE),
    stdout: "pipe",
    stderr: "pipe",
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  const said = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect({ exitCode: child.exitCode, said: said.slice(0, 2).join("") }).toEqual({
    exitCode: 0,
    said: "",
  });
}

function zipsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".zip"));
}
