// The compiled agent on the real kernel: it installs, stays installed when it ends, and `remove` takes all
// of it back, after every kind of start.
import { expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isOurPattern } from "../../../src/model/core-pattern.ts";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";
import { executablePath } from "../../support/executable.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { startAgent, runCommand } from "../../support/agent-process.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const ORIGINALS = { corePattern: "core.%e.%p", corePipeLimit: "7", suidDumpable: "0" };

function kernelTest(name: string, body: (folder: string, executable: string) => Promise<void>) {
  gatedTest(name, [kernelObstacle()], async () => {
    const executable = await executablePath();
    await withFolder((folder) => withKernel(ORIGINALS, () => body(folder, executable)));
  });
}

kernelTest(
  "an agent that is told to stop leaves the composer in place",
  async (folder, executable) => {
    const HOST_DIR = join(folder, "host");
    const agent = await startAgent(executable, { HOST_DIR });
    await agent.saysEvent("installed");
    expect(isOurPattern(readKernel().corePattern, HOST_DIR)).toBe(true);
    expect(readKernel()).toMatchObject({ corePipeLimit: "128", suidDumpable: "2" });
    agent.child.kill("SIGTERM");
    expect(await agent.child.exited).toBe(0);
    expect(isOurPattern(readKernel().corePattern, HOST_DIR)).toBe(true);
    expect((await runCommand(executable, ["remove"], { HOST_DIR })).exitCode).toBe(0);
    expect(readKernel()).toMatchObject(ORIGINALS);
    expect(readdirSync(folder)).toEqual([]);
  },
);

kernelTest("remove restores after a second start and after kill -9", async (folder, executable) => {
  const HOST_DIR = join(folder, "host");
  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    const agent = await startAgent(executable, {
      HOST_DIR,
      INTERVAL: "60000",
      STORE_URL: `file://${folder}`,
    });
    await agent.saysEvent("installed");
    agent.child.kill(signal);
    await agent.child.exited;
  }
  await runCommand(executable, ["remove"], { HOST_DIR });
  await runCommand(executable, ["remove"], { HOST_DIR });
  expect(readKernel()).toMatchObject(ORIGINALS);
  expect(existsSync(HOST_DIR)).toBe(false);
});

kernelTest(
  "a start that is killed at any moment is undone by remove",
  async (folder, executable) => {
    const HOST_DIR = join(folder, "host");
    for (let delayMs = 0; delayMs < 400; delayMs += 40) {
      const agent = await startAgent(executable, { HOST_DIR });
      await Bun.sleep(delayMs);
      agent.child.kill("SIGKILL");
      await agent.child.exited;
      const removal = await runCommand(executable, ["remove"], { HOST_DIR });
      expect(removal).toMatchObject({ exitCode: 0 });
      expect(readKernel()).toMatchObject(ORIGINALS);
      expect(readdirSync(folder)).toEqual([]);
    }
  },
);

kernelTest(
  "an upgrade from the ancestor is removed down to the original",
  async (folder, executable) => {
    const HOST_DIR = join(folder, "host");
    mkdirSync(join(HOST_DIR, "cores"), { recursive: true });
    writeFileSync(join(HOST_DIR, "cdc"), "#!/bin/false\n");
    writeFileSync(join(HOST_DIR, "core_pattern.bak"), ORIGINALS.corePattern);
    writeFileSync(join(HOST_DIR, "core_pipe_limit.bak"), ORIGINALS.corePipeLimit);
    writeFileSync(join(HOST_DIR, "suid_dumpable.bak"), ORIGINALS.suidDumpable);
    const ancestors = `|${HOST_DIR}/cdc -c=%c -e=%e -p=%p -s=%s -t=%t -h=%h -E=%E`;
    writeFileSync("/proc/sys/kernel/core_pattern", ancestors);
    const agent = await startAgent(executable, { HOST_DIR });
    await agent.saysEvent("installed");
    expect(readKernel().corePattern).not.toBe(ancestors);
    expect(readFileSync(join(HOST_DIR, "core_pattern.bak"), "utf8")).toBe(ORIGINALS.corePattern);
    agent.child.kill("SIGTERM");
    await agent.child.exited;
    await runCommand(executable, ["remove"], { HOST_DIR });
    expect(readKernel()).toMatchObject(ORIGINALS);
  },
);

kernelTest(
  "a HOST_DIR on a noexec mount is one clear error for a pipe, and nothing is changed",
  async (folder, executable) => {
    const mounted = join(folder, "m");
    mkdirSync(mounted);
    Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", mounted]);
    try {
      const HOST_DIR = join(mounted, "h");
      const run = await runCommand(executable, ["agent"], { HOST_DIR, CAPTURE_MODE: "pipe" });
      expect(run.exitCode).toBe(1);
      expect(run.stderr).toContain("which is mounted noexec");
      expect(existsSync(HOST_DIR)).toBe(false);
      expect(readKernel()).toMatchObject(ORIGINALS);
    } finally {
      Bun.spawnSync(["umount", mounted]);
      rmSync(mounted, { recursive: true });
    }
  },
);

kernelTest("a core_pattern that another tool takes is taken back", async (folder, executable) => {
  const HOST_DIR = join(folder, "host");
  const agent = await startAgent(executable, { HOST_DIR });
  await agent.saysEvent("installed");
  const { corePattern } = readKernel();
  writeFileSync("/proc/sys/kernel/core_pattern", "|/opt/other %p");
  expect(await agent.saysEvent("sysctl_reapplied")).toMatchObject({
    name: "kernel.core_pattern",
    found: "|/opt/other %p",
  });
  expect(readKernel().corePattern).toBe(corePattern);
  // Removed beside a running agent, which must not put it back.
  await runCommand(executable, ["remove"], { HOST_DIR });
  await Bun.sleep(16_000);
  expect(readKernel()).toMatchObject(ORIGINALS);
  agent.child.kill("SIGTERM");
  expect(await agent.child.exited).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});
