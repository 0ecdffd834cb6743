// SOCKET_SEND_BUFFER on the real kernel: set while installed, a real crash through it, and given back.
import { expect } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { runCommand, startAgent } from "../../support/agent-process.ts";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";
import { compilerObstacle, startSleeper } from "../../support/crash-program.ts";
import { checkDump } from "../../support/dump-check.ts";
import { executablePath } from "../../support/executable.ts";
import { gatedTest, socketObstacle } from "../../support/gate.ts";
import { withFolder } from "../../support/temporary-folder.ts";
import { readersObstacle } from "../../support/zip-readers.ts";

const obstacles = [socketObstacle(), compilerObstacle(), readersObstacle()];

gatedTest("a larger send buffer is set, used and given back", obstacles, () =>
  withFolder(async (folder) => {
    const executable = await executablePath();
    const HOST_DIR = join(folder, "h");
    const unlimited = { COMP_CRASH_LOOP_LIMIT: "0", COMP_DISK_FREE: "0", COMP_IGNORE_CRIO: "true" };
    const environment = { HOST_DIR, CAPTURE_MODE: "socket", ...unlimited };
    await withKernel({ socketBuffer: "212992" }, async () => {
      const before = readKernel();
      const asked = { ...environment, SOCKET_SEND_BUFFER: "2Mi" };
      const agent = await startAgent(executable, asked);
      try {
        await agent.saysEvent("capture_mode");
        expect(readKernel().socketBuffer).toBe("2097152");
        const sleeper = await startSleeper("mapping", ["64", "random"]);
        expect((await sleeper.crash()).signalCode).toBe("SIGSEGV");
        const { zip } = await agent.saysEvent("dump_published");
        const { info } = await checkDump(join(HOST_DIR, "cores", String(zip)));
        expect(info["core_complete"]).toBe(true);
        agent.child.kill("SIGTERM");
        expect(await agent.child.exited).toBe(0);
        // An agent that ends stays installed.
        expect(readKernel().socketBuffer).toBe("2097152");
      } finally {
        agent.child.kill("SIGKILL");
        await agent.child.exited;
        expect((await runCommand(executable, ["remove"], environment)).exitCode).toBe(0);
      }
      expect(readKernel()).toEqual(before);
      expect(await readdir(HOST_DIR)).toEqual(["cores"]);
    });
  }),
);
