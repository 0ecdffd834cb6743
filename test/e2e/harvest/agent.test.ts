// The agent with CAPTURE_MODE=file, as a process: what it installs and restores, the host's own /tmp, and an agent
// that is killed.
import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { FILE_PATTERN } from "../../../src/model/core-file-pattern.ts";
import { runCommand, startAgent, type AgentProcess } from "../../support/agent-process.ts";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";
import { buildCrashProgram } from "../../support/crash-program.ts";
import { executablePath } from "../../support/executable.ts";
import { harvestSuite } from "../../support/harvest-suite.ts";
import { openZip, type OpenedZip } from "../../support/opened-zip.ts";
import { crashFirst } from "../../support/runtime-suite.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const { suite, start, coresLeft } = harvestSuite();
const ORIGINALS = { corePattern: "core.%e.%p", corePipeLimit: "7", suidDumpable: "0" };

interface Node {
  folder: string;
  coreDir: string;
  startFileAgent: () => Promise<AgentProcess>;
  /** The zips of this pod or executable, once there is one. */
  zipsOf: (wanted: (zip: OpenedZip) => boolean) => Promise<OpenedZip[]>;
}

function agentTest(name: string, body: (node: Node) => Promise<void>): void {
  suite.test(name, () =>
    withFolder((folder) =>
      withKernel(ORIGINALS, async () => {
        const executable = await executablePath();
        const coreDir = join(folder, "h/cores");
        const environment = {
          HOST_DIR: join(folder, "h"),
          CAPTURE_MODE: "file",
          CRIO_ENDPOINT: `unix://${suite.containerd().socket}`,
          COMP_CRI_CLIENT: "native",
          COMP_DISK_QUOTA: "100%",
          COMP_DISK_FREE: "0",
        };
        const agents: AgentProcess[] = [];
        const startFileAgent = async () => {
          const agent = await startAgent(executable, environment);
          agents.push(agent);
          await agent.saysEvent("capture_mode");
          return agent;
        };
        const zipsOf: Node["zipsOf"] = async (wanted) => {
          for (let tries = 0; tries < 1200; tries++) {
            const names = existsSync(coreDir) ? await readdir(coreDir) : [];
            const paths = names.filter((zip) => zip.endsWith(".zip"));
            const zips = await Promise.all(paths.map((zip) => openZip(join(coreDir, zip), folder)));
            const found = zips.filter(wanted);
            if (found.length > 0) return found;
            await Bun.sleep(50);
          }
          const said = agents.flatMap(({ lines }) => lines);
          throw new Error(`no such zip in a minute: ${JSON.stringify(said)}`);
        };
        try {
          await body({ folder, coreDir, startFileAgent, zipsOf });
        } finally {
          for (const { child } of agents) child.kill("SIGTERM");
          await Promise.all(agents.map(({ child }) => child.exited));
          const removed = await runCommand(executable, ["remove"], environment);
          expect(removed.exitCode).toBe(0);
        }
        expect(readKernel()).toMatchObject(ORIGINALS);
        expect(existsSync(join(folder, "h/harvest.json"))).toBe(false);
      }),
    ),
  );
}

async function isComposing(coreDir: string): Promise<boolean> {
  return (await readdir(coreDir)).some((name) => name.endsWith(".partial"));
}

agentTest("a crash in a pod and one of the host's own processes", async (node) => {
  const agent = await node.startFileAgent();
  expect(readKernel().corePattern).toBe(FILE_PATTERN);
  const pod = await start("in-a-pod");
  await crashFirst({ pod });
  const program = await buildCrashProgram("segfault");
  await Bun.spawn(["prlimit", "--core=unlimited", program]).exited;
  const [inPod] = await node.zipsOf(({ info }) => info.podname === "in-a-pod");
  expect(inPod?.info).toMatchObject({ identity: "core_file", core_complete: true, missing: [] });
  const [onHost] = await node.zipsOf(({ info }) => info.exe === "segfault");
  expect(onHost?.info).toMatchObject({
    identity: "host_process",
    exe_path: program,
    hostname: hostname(),
    core_complete: true,
    missing: [],
  });
  await agent.saysEvent("core_file_taken");
  await agent.saysEvent("core_file_taken");
  expect(await coresLeft(pod)).toEqual([]);
  const left = (await readdir("/tmp")).filter((name) => name.startsWith(".cdh-core."));
  expect(left).toEqual([]);
});

agentTest(
  "a process that is not dumpable: the kernel writes its core to the host's /tmp, and the pod is guessed",
  async (node) => {
    await node.startFileAgent();
    // Its program is not readable to it, so that its core is for root alone (suid_dumpable 2).
    const pod = await start("secret", { command: ["/bin/secret"], uid: 1000 });
    await crashFirst({ pod });
    const [zip] = await node.zipsOf(({ info }) => info.exe === "secret");
    expect(zip?.info).toMatchObject({
      identity: "unknown",
      podname: null,
      guessed_podname: "secret",
      dumpable: 2,
      uid: 1000,
      core_complete: true,
    });
    expect(await coresLeft(pod)).toEqual([]);
  },
);

agentTest(
  "an agent that is killed while a core is zipped: the next one takes it, and nothing is lost",
  async (node) => {
    const first = await node.startFileAgent();
    const pod = await start("survivor", { args: ["talk", "1", "200"] });
    await crashFirst({ pod });
    for (let tries = 0; !(await isComposing(node.coreDir)); tries++) {
      if (tries > 6000) throw new Error("no composer was seen at work");
      await Bun.sleep(5);
    }
    first.child.kill("SIGKILL");
    await first.child.exited;
    expect(await coresLeft(pod)).toHaveLength(1);
    const second = await node.startFileAgent();
    await second.saysEvent("core_file_taken");
    expect(await coresLeft(pod)).toEqual([]);
    const zips = await node.zipsOf(({ info }) => info.podname === "survivor");
    expect(zips.some(({ info }) => info.core_complete === true)).toBe(true);
  },
);
