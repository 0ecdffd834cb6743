// CAPTURE_MODE on the real kernel: auto takes the first way that a canary shows to work, a change of modes leaves
// nothing of the old one, and `remove` restores after each.
import { expect } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { captureModeOf } from "../../../src/model/core-pattern.ts";
import { KERNEL_LOG_POSITION } from "../../../src/model/host-file.ts";
import { askListener, listenerState } from "../../../src/agent/install/listener-process.ts";
import { readCoreModes } from "../../../src/host/core-modes.ts";
import { runCommand, startAgent, type AgentProcess } from "../../support/agent-process.ts";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";
import { compilerObstacle, runCrash } from "../../support/crash-program.ts";
import { executablePath } from "../../support/executable.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { runTool } from "../../support/run-tool.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const ORIGINALS = { corePattern: "core.%e.%p", corePipeLimit: "7", suidDumpable: "0" };
const hasSocket = (await readCoreModes("/proc")).includes("socket");
const socketObstacle = hasSocket ? undefined : "needs a kernel with the coredump socket";

interface Host {
  executable: string;
  hostDir: string;
  environment: Record<string, string>;
  /** Until it has chosen; the doctor is on. */
  start: (more?: Record<string, string>) => Promise<AgentProcess & { chosen: Chosen }>;
  run: (command: string, more?: Record<string, string>) => ReturnType<typeof runCommand>;
}

type Chosen = Record<string, unknown>;

/** HOST_DIR on a filesystem of its own, mounted with `options`; all is removed and restored at the end. */
function modeTest(
  name: string,
  {
    options = "mode=755",
    obstacles = [],
  }: { options?: string; obstacles?: (string | undefined)[] },
  body: (host: Host) => Promise<void>,
) {
  gatedTest(name, [kernelObstacle(), compilerObstacle(), ...obstacles], async () => {
    const executable = await executablePath();
    await withFolder((folder) =>
      withKernel(ORIGINALS, async () => {
        const mounted = join(folder, "m");
        mkdirSync(mounted);
        await runTool(["mount", "-t", "tmpfs", "-o", options, "tmpfs", mounted]);
        const hostDir = join(mounted, "h");
        const environment = { HOST_DIR: hostDir, COMP_IGNORE_CRIO: "true" };
        const run = (command: string, more: Record<string, string> = {}) =>
          runCommand(executable, [command], { ...environment, ...more });
        try {
          await body({
            executable,
            hostDir,
            environment,
            run,
            start: async (more = {}) => {
              const agent = await startAgent(executable, {
                ...environment,
                DOCTOR: "true",
                ...more,
              });
              return Object.assign(agent, { chosen: await agent.saysEvent("capture_mode") });
            },
          });
          expect(await run("remove")).toMatchObject({ exitCode: 0 });
          expect(readKernel()).toMatchObject(ORIGINALS);
          expect(await askListener(hostDir)).toBeUndefined();
          expect(readdirSync(mounted)).toEqual([]);
        } finally {
          await run("remove");
          await runTool(["umount", "-l", mounted]);
        }
      }),
    );
  });
}

/** A /proc whose core_modes names no socket, as an older kernel's; its sysctls are the real ones. */
function procWithoutSocket(folder: string): string {
  mkdirSync(join(folder, "sys/kernel"), { recursive: true });
  mkdirSync(join(folder, "sys/fs"), { recursive: true });
  for (const name of ["kernel/core_pattern", "kernel/core_pipe_limit", "fs/suid_dumpable"])
    symlinkSync(join("/proc/sys", name), join(folder, "sys", name));
  writeFileSync(join(folder, "sys/kernel/core_modes"), "file\npipe\n");
  return folder;
}

async function stop(agent: AgentProcess): Promise<void> {
  agent.child.kill("SIGTERM");
  expect(await agent.child.exited).toBe(0);
}

function modeNow(hostDir: string): string | undefined {
  return captureModeOf(readKernel().corePattern, hostDir);
}

/** Waits for the one zip, and takes it away. */
async function takeZip(hostDir: string, part: string): Promise<void> {
  for (;;) {
    const [name] = readdirSync(join(hostDir, "cores")).filter((entry) => /^[^.].*zip$/.test(entry));
    if (name === undefined) {
      await Bun.sleep(50);
      continue;
    }
    expect(name).toContain(part);
    rmSync(join(hostDir, "cores", name));
    return;
  }
}

modeTest("where a pipe works, auto takes it", {}, async ({ hostDir, start }) => {
  const agent = await start();
  expect(agent.chosen).toMatchObject({ mode: "pipe", tried: "" });
  expect(modeNow(hostDir)).toBe("pipe");
  expect(await agent.saysEvent("doctor_done")).toMatchObject({ failed: 0 });
  await stop(agent);
});

modeTest(
  "where HOST_DIR allows no execution, auto takes the socket, and a crash comes by it",
  { options: "mode=755,noexec", obstacles: [socketObstacle] },
  async ({ hostDir, start }) => {
    const agent = await start();
    expect(agent.chosen).toMatchObject({ level: "info", mode: "socket" });
    expect(agent.chosen["tried"]).toContain("which is mounted noexec");
    expect(modeNow(hostDir)).toBe("socket");
    expect(existsSync(join(hostDir, "cdc"))).toBe(false);
    expect(await agent.saysEvent("doctor_done")).toMatchObject({ failed: 0 });
    expect(readdirSync(join(hostDir, "cores"))).toEqual([]);
    await runCrash("segfault");
    await takeZip(hostDir, "-segfault-");
    await stop(agent);

    // What was proven in this boot goes first: no crash is lost to another try of the pipe.
    const second = await start();
    expect(second.chosen).toMatchObject({ mode: "socket", tried: agent.chosen["tried"] });
    expect(second.lines.filter(({ event }) => event === "sysctl_set")).toEqual([]);
    await stop(second);
  },
);

modeTest(
  "where neither works, auto takes files",
  { options: "mode=755,noexec" },
  async ({ hostDir, start }) => {
    await withFolder(async (folder) => {
      const agent = await start({ PROC_ROOT: procWithoutSocket(folder) });
      expect(agent.chosen).toMatchObject({ level: "info", mode: "file" });
      expect(agent.chosen["tried"]).toContain("which is mounted noexec");
      expect(agent.chosen["tried"]).toContain("core_modes does not list it");
      expect(modeNow(hostDir)).toBe("file");
      expect(existsSync(join(hostDir, "cdc"))).toBe(false);
      await agent.saysEvent("doctor_done");
      const failed = agent.lines.filter(({ event }) => event === "doctor_failed");
      expect(failed.map(({ check }) => check)).not.toContain("canary");
      await stop(agent);
    });
  },
);

modeTest(
  "a change of modes leaves nothing of the old one, and the first originals stay",
  { obstacles: [socketObstacle] },
  async ({ hostDir, start }) => {
    for (const mode of ["pipe", "socket", "file", "socket", "pipe", "file", "pipe"]) {
      const agent = await start({ CAPTURE_MODE: mode });
      expect(agent.chosen).toMatchObject({ mode, because: `CAPTURE_MODE is ${mode}` });
      expect(modeNow(hostDir)).toBe(mode);
      const names = readdirSync(hostDir);
      expect(names.includes("cdc")).toBe(mode === "pipe");
      expect(names.includes("cdc.sock")).toBe(mode === "socket");
      expect((await askListener(hostDir)) !== undefined).toBe(mode === "socket");
      expect(readFileSync(join(hostDir, "core_pattern.bak"), "utf8")).toBe(ORIGINALS.corePattern);
      await stop(agent);
    }
  },
);

modeTest(
  "a mode that was asked for and cannot be is one clear error, and nothing is changed",
  { options: "mode=755,noexec" },
  async ({ hostDir, run }) => {
    await withFolder(async (folder) => {
      const PROC_ROOT = procWithoutSocket(folder);
      for (const [CAPTURE_MODE, reason] of [
        ["pipe", "which is mounted noexec"],
        ["socket", "CAPTURE_MODE is socket, and this kernel has no coredump socket"],
      ] as const) {
        const end = await run("agent", { CAPTURE_MODE, PROC_ROOT });
        expect(end.exitCode).toBe(1);
        expect(end.stderr).toContain(reason);
        expect(existsSync(hostDir)).toBe(false);
        expect(readKernel()).toMatchObject(ORIGINALS);
      }
    });
  },
);

modeTest(
  "while no listener answers, core_pattern is what it was; a new one is started, and a crash comes by it",
  { obstacles: [socketObstacle] },
  async ({ hostDir, start }) => {
    const agent = await start({ CAPTURE_MODE: "socket" });
    await agent.saysEvent("doctor_done");
    const found = await askListener(hostDir);
    for (const pid of [found?.keeper, found?.worker]) if (pid) process.kill(pid, "SIGKILL");
    expect(await agent.saysEvent("listener_lost")).toMatchObject({
      core_pattern: ORIGINALS.corePattern,
    });
    await agent.saysEvent("listener_back");
    expect(modeNow(hostDir)).toBe("socket");
    await runCrash("segfault");
    await takeZip(hostDir, "-segfault-");
    await stop(agent);
  },
);

modeTest(
  "a crash that nobody took on the socket is counted by the kernel's own word",
  { obstacles: [socketObstacle] },
  async ({ hostDir, start }) => {
    const agent = await start({ CAPTURE_MODE: "socket", DOCTOR: "false" });
    // From here on it knows what is new in the kernel's log.
    while (!existsSync(join(hostDir, KERNEL_LOG_POSITION))) await Bun.sleep(50);
    const found = await askListener(hostDir);
    agent.child.kill("SIGSTOP");
    for (const pid of [found?.keeper, found?.worker]) if (pid) process.kill(pid, "SIGKILL");
    while ((await listenerState(hostDir)) !== "absent") await Bun.sleep(20);
    await runCrash("segfault");
    agent.child.kill("SIGCONT");
    expect((await agent.saysEvent("socket_lost"))["message"]).toContain("segfault");
    await stop(agent);
  },
);
