// VENDOR=auto on the real kernel: what does not start on the host gives way to what does, and that is kept.
import { expect } from "bun:test";
import { linkSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { planPatches } from "../../../src/agent/install/self-contained.ts";
import { readElfProgram } from "../../../src/host/elf-program.ts";
import { copyFileAtomically } from "../../../src/host/files.ts";
import { runCommand, startAgent } from "../../support/agent-process.ts";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";
import { readElfFile } from "../../support/elf-file.ts";
import { executablePath } from "../../support/executable.ts";
import { gatedTest, kernelObstacle } from "../../support/gate.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const ORIGINALS = { corePattern: "core", corePipeLimit: "0", suidDumpable: "0" };

/** An image whose glibc build asks for a loader that this host has not. */
async function unsuitedImage(folder: string): Promise<string> {
  const executable = await executablePath();
  const image = join(folder, "app");
  mkdirSync(image);
  const agent = join(image, "core-dump-handler");
  try {
    linkSync(executable, agent);
  } catch {
    await copyFile(executable, agent);
  }
  const loader = Buffer.from("/no/such/ld.so\0");
  const patches = planPatches(executable, await readElfProgram(executable), loader);
  const build = join(image, `core-dump-handler-linux-${process.arch}-gnu`);
  await copyFileAtomically(executable, build, 0o755, patches);
  return agent;
}

gatedTest(
  "a build that the kernel cannot start gives way to the self-contained one, which goes first from then on",
  [kernelObstacle()],
  async () => {
    await withFolder((folder) =>
      withKernel(ORIGINALS, async () => {
        const agentPath = await unsuitedImage(folder);
        const HOST_DIR = join(folder, "host");
        // In a pod: the host's root, and so its loaders, are not to be seen.
        const environment = {
          HOST_DIR,
          POD_NAME: "agent-x",
          COMP_IGNORE_CRIO: "true",
          DOCTOR: "true",
        };
        const agent = await startAgent(agentPath, environment);
        expect(await agent.saysEvent("variant_unsuited")).toMatchObject({ variant: "gnu" });
        expect(await agent.saysEvent("variant_proven")).toMatchObject({
          variant: "self-contained",
        });
        expect(await agent.saysEvent("doctor_done")).toMatchObject({ failed: 0 });
        agent.child.kill("SIGTERM");
        await agent.child.exited;
        expect((await readElfFile(join(HOST_DIR, "cdc"))).interpreter).toStartWith(
          `${HOST_DIR}/lib/`,
        );
        const record = JSON.parse(readFileSync(join(HOST_DIR, "install.json"), "utf8"));
        expect(record).toMatchObject({ proven: "self-contained" });

        const second = await startAgent(agentPath, environment);
        expect(await second.saysEvent("variant_proven")).toMatchObject({
          variant: "self-contained",
        });
        expect(second.lines.filter(({ event }) => event === "variant_unsuited")).toEqual([]);
        second.child.kill("SIGTERM");
        await second.child.exited;

        expect((await runCommand(agentPath, ["remove"], { HOST_DIR })).exitCode).toBe(0);
        expect(readKernel()).toMatchObject(ORIGINALS);
        expect(readdirSync(folder)).toEqual(["app"]);
      }),
    );
  },
);
