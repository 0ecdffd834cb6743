// The agent beside the listener: it may die as often as it likes, and where the whole listener is gone or hangs, it
// gives core_pattern back, frees whoever is held, and starts another one.
import { expect } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { askListener } from "../../../src/agent/install/listener-process.ts";
import { runCommand, startAgent, type AgentProcess } from "../../support/agent-process.ts";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { startCrashStream } from "../../support/crash-stream.ts";
import { readInfo } from "../../support/dump-check.ts";
import { executablePath } from "../../support/executable.ts";
import { gatedTest, socketObstacle } from "../../support/gate.ts";
import { composersAtWork } from "../../support/installed-composer.ts";
import { askUntilAnswered } from "../../support/listener.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [socketObstacle(), compilerObstacle(), readersObstacle()];
/** Restarts tried; CDH_TEST_ROUNDS=20 for more. */
const RESTARTS = Number(process.env["CDH_TEST_ROUNDS"] ?? 6);
/** Longer than the agent waits for a listener that hangs, and shorter than any dump's own deadline. */
const HELD_MAX_MS = 60_000;

interface Installed {
  hostDir: string;
  start: () => Promise<AgentProcess>;
}

/** An agent in socket mode that has installed; whatever became of it, the host is as before in the end. */
function withSocketMode(body: (installed: Installed) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const executable = await executablePath();
    const hostDir = join(folder, "h");
    const environment = {
      HOST_DIR: hostDir,
      CAPTURE_MODE: "socket",
      COMP_IGNORE_CRIO: "true",
      COMP_CRASH_LOOP_LIMIT: "0",
      COMP_DISK_FREE: "0",
      COMP_DISK_QUOTA: "100%",
    };
    const agents: AgentProcess[] = [];
    await withKernel({}, async () => {
      const before = readKernel();
      try {
        await body({
          hostDir,
          async start() {
            const agent = await startAgent(executable, environment);
            agents.push(agent);
            await agent.saysEvent("capture_mode");
            return agent;
          },
        });
      } finally {
        for (const { child } of agents) child.kill("SIGKILL");
        await Promise.all(agents.map(({ child }) => child.exited));
        expect((await runCommand(executable, ["remove"], environment)).exitCode).toBe(0);
        expect(await askListener(hostDir)).toBeUndefined();
        expect(readKernel()).toEqual(before);
      }
    });
  });
}

/** The pids of the processes whose whole core is in a published zip. */
async function keptIn(hostDir: string): Promise<Set<number>> {
  await askUntilAnswered(hostDir);
  while ((await composersAtWork(join(hostDir, "cdc"))).length > 0) await Bun.sleep(20);
  const coreDir = join(hostDir, "cores");
  const zips = (await readdir(coreDir)).filter((name) => name.endsWith(".zip"));
  const infos = await Promise.all(zips.map((name) => readInfo(join(coreDir, name))));
  return new Set(
    infos.filter((info) => info["core_complete"] === true).map((info) => Number(info["host_pid"])),
  );
}

/** A dump that takes a while, and is in the hands of a composer. */
async function startLargeDump(hostDir: string) {
  const large = await startSleeper("mapping", ["250", "random"], { timeoutMs: HELD_MAX_MS });
  const end = large.crash();
  const log = Bun.file(join(hostDir, "composer.log"));
  const isTold = async () =>
    (await log.text().catch(() => "")).includes(`"host_pid":${large.pid},`);
  while (!(await isTold())) await Bun.sleep(5);
  return { pid: large.pid, end };
}

gatedTest(`an agent killed ${RESTARTS} times under a stream of crashes loses none`, obstacles, () =>
  withSocketMode(async ({ hostDir, start }) => {
    let agent = await start();
    const listener = await askListener(hostDir);
    const stream = startCrashStream({ timeoutMs: HELD_MAX_MS });
    for (let restart = 0; restart < RESTARTS; restart++) {
      agent.child.kill("SIGKILL");
      await agent.child.exited;
      await Bun.sleep(Math.random() * 200);
      agent = await start();
    }
    const ends = await stream.stop();
    expect(new Set(ends.values())).toEqual(new Set(["SIGSEGV"]));
    expect(await keptIn(hostDir)).toEqual(new Set(ends.keys()));
    expect(await askListener(hostDir)).toEqual(listener);
    console.log(`${RESTARTS} restarts of the agent: ${ends.size} crashes, none lost`);
  }),
);

for (const signal of ["SIGKILL", "SIGSTOP"] as const)
  gatedTest(`${signal} to both of the listener's processes: another one comes`, obstacles, () =>
    withSocketMode(async ({ hostDir, start }) => {
      const agent = await start();
      const before = await askUntilAnswered(hostDir);
      const stream = startCrashStream({ timeoutMs: HELD_MAX_MS });
      const large = await startLargeDump(hostDir);
      for (const pid of [before?.keeper ?? 0, before?.worker ?? 0]) process.kill(pid, signal);
      await agent.saysEvent("listener_lost");
      await agent.saysEvent("listener_back");
      const ends = await stream.stop();
      expect((await large.end).signalCode).toBe("SIGSEGV");
      // Whoever waited in the dead listener's queue was let go, not held.
      expect(new Set(ends.values())).toEqual(new Set(["SIGSEGV"]));
      const last = await startSleeper("mapping", ["4"], { timeoutMs: HELD_MAX_MS });
      await last.crash();
      const kept = await keptIn(hostDir);
      // A living composer had these.
      expect(kept).toContain(large.pid);
      expect(kept).toContain(last.pid);
      const lost = [...ends.keys()].filter((pid) => !kept.has(pid));
      console.log(`${signal} to the whole listener: ${ends.size} crashes, ${lost.length} lost`);
      expect(lost.length).toBeLessThan(ends.size);
      expect((await askListener(hostDir))?.keeper).not.toBe(before?.keeper);
    }),
  );
