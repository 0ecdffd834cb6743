// A plain host, from an empty folder: one executable and one configuration file, a crash, its delivery, its
// debugging, and nothing left behind. systemd's part is in test/unit/agent/vm and needs a machine of its own.
import { expect } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readHostSettings, type AgentSettings } from "../../../src/config/agent-settings.ts";
import { parseEnvFile } from "../../../src/model/env-file.ts";
import { install } from "../../../src/agent/install/install.ts";
import { remove } from "../../../src/agent/install/remove.ts";
import { installOnVm } from "../../../src/agent/vm/install-service.ts";
import { isVmInstalled, removeFromVm } from "../../../src/agent/vm/remove-service.ts";
import { startAgent, runCommand } from "../../support/agent-process.ts";
import { readKernel, withKernel } from "../../support/borrowed-kernel.ts";
import { buildCrashProgram, compilerObstacle, runCrash } from "../../support/crash-program.ts";
import { executablePath } from "../../support/executable.ts";
import { gatedTest, kernelObstacle, missingProgram } from "../../support/gate.ts";
import { openZipOf } from "../../support/opened-zip.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { runTool } from "../../support/run-tool.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const ORIGINALS = { corePattern: "core.%e", corePipeLimit: "7", suidDumpable: "0" };
const obstacles = [kernelObstacle(), compilerObstacle(), missingProgram("unzip")];

interface Vm {
  folder: string;
  store: string;
  program: string;
  /** Starts the installed agent as its unit does: with nothing in its environment. */
  start: typeof startAgent extends (program: string, environment: infer E) => infer R
    ? (environment?: E) => R
    : never;
  removeAll: () => Promise<void>;
}

/** Installed from one executable and one file; removed by the test itself. */
async function withVm(
  config: Record<string, string>,
  originals: typeof ORIGINALS,
  body: (vm: Vm) => Promise<void>,
) {
  await withFolder((folder) =>
    withKernel(originals, async () => {
      const [store, programDir] = [join(folder, "store"), join(folder, "opt")];
      mkdirSync(store);
      const configPath = join(folder, "config");
      const all = { HOST_DIR: join(folder, "host"), STORE_URL: `file://${store}`, ...config };
      const lines = Object.entries({ USE_INOTIFY: "true", ...all }).map(
        ([key, value]) => `${key}=${value}`,
      );
      writeFileSync(configPath, `${lines.join("\n")}\n`);
      const places = {
        programDir,
        unitDir: join(folder, "units"),
        commandDir: join(folder, "bin"),
      };
      const log = recordedLog();
      const executable = await executablePath();
      const apply = async (settings: AgentSettings, program: string) => {
        await install({ settings, executable: program, log });
        return "pipe" as const;
      };
      await installOnVm({ configPath, executable, places, systemd: undefined, apply, log });
      const program = join(programDir, "core-dump-handler");
      await body({
        folder,
        store,
        program,
        start: (environment = {}) => startAgent(program, { DOCTOR: "true", ...environment }),
        removeAll: async () => {
          expect(await isVmInstalled(places)).toBe(true);
          await remove(readHostSettings(parseEnvFile(readFileSync(configPath, "utf8"))), log);
          await removeFromVm(places, undefined, log);
          expect(await isVmInstalled(places)).toBe(false);
        },
      });
    }),
  );
}

gatedTest(
  "one executable and one file: crash, list, info, extract, gdb, delivered, removed",
  [...obstacles, missingProgram("gdb")],
  async () => {
    await withVm({}, ORIGINALS, async ({ folder, store, program, start, removeAll }) => {
      expect(statSync(join(folder, "opt/.env")).mode & 0o777).toBe(0o600);
      const agent = await start();
      expect(await agent.saysEvent("doctor_done")).toMatchObject({ failed: 0 });
      // No runtime's socket, no questions about pods; a machine with one asks it.
      await runCrash("segfault", ["16"]);
      await agent.saysEvent("upload_finished");
      agent.child.kill("SIGTERM");
      await agent.child.exited;
      const [zip = "", ...others] = readdirSync(store);
      expect(others).toEqual([]);
      const list = await runCommand(program, ["list", store], {});
      expect(list.stdout).toContain("segfault");
      const info = await runCommand(program, ["info", join(store, zip)], {});
      expect(info.stdout).toContain("SIGSEGV");
      const core = join(folder, "core");
      await runCommand(program, ["extract", join(store, zip), "--output", core], {});
      const trace = await runTool([
        "gdb",
        "-batch",
        "-nx",
        "-ex",
        "bt",
        await buildCrashProgram("segfault"),
        core,
      ]);
      expect(trace).toContain("write_through");
      await removeAll();
      expect(readKernel()).toMatchObject(ORIGINALS);
      expect(readdirSync(folder).toSorted()).toEqual(["config", "core", "store"]);
    });
  },
);

gatedTest(
  "the kernel is set up at boot without the agent, and again after a reboot took it away",
  obstacles,
  async () => {
    await withVm({}, ORIGINALS, async ({ program, removeAll }) => {
      expect((await runCommand(program, ["apply"], {})).exitCode).toBe(0);
      const { corePattern } = readKernel();
      expect(corePattern).toContain("/host/cdc ");
      // What a boot does to it, and then another tool's sysctl.d.
      writeFileSync("/proc/sys/kernel/core_pattern", "|/usr/lib/systemd/systemd-coredump %P");
      expect((await runCommand(program, ["apply"], {})).exitCode).toBe(0);
      expect(readKernel().corePattern).toBe(corePattern);
      await removeAll();
      expect(readKernel()).toMatchObject(ORIGINALS);
    });
  },
);

/** A handler in the manner of systemd-coredump: keeps what it gets, and notes its arguments. */
async function withPrevious(
  script: string,
  body: (pattern: string, output: string) => Promise<void>,
) {
  await withFolder(async (folder) => {
    const [handler, output] = [join(folder, "previous"), join(folder, "kept")];
    writeFileSync(handler, `#!/bin/sh\n${script.replaceAll("OUTPUT", output)}\n`);
    chmodSync(handler, 0o755);
    await body(`|${handler} %P %u %s %h %e`, output);
  });
}

gatedTest(
  "PREVIOUS_HANDLER=chain: both get the whole core, and the previous one its own arguments",
  obstacles,
  async () => {
    const script = 'echo "$@" > OUTPUT.$5.args; cat > OUTPUT.$5.part; mv OUTPUT.$5.part OUTPUT.$5';
    await withPrevious(script, async (corePattern, output) => {
      const originals = { ...ORIGINALS, corePattern };
      await withVm({ PREVIOUS_HANDLER: "chain" }, originals, async (vm) => {
        const agent = await vm.start();
        expect(await agent.saysEvent("previous_handler")).toMatchObject({ chained: true });
        await agent.saysEvent("doctor_done");
        await runCrash("segfault", ["16"]);
        await agent.saysEvent("upload_finished");
        agent.child.kill("SIGTERM");
        await agent.child.exited;
        const zip = await openZipOf("segfault", vm.store, vm.folder);
        const { info } = zip;
        expect(info.core_complete).toBe(true);
        while (!(await Bun.file(`${output}.segfault`).exists())) await Bun.sleep(20);
        expect(readFileSync(`${output}.segfault`).equals(await zip.bytes(".core"))).toBe(true);
        const args = readFileSync(`${output}.segfault.args`, "utf8");
        expect(args).toStartWith(`${info.host_pid} 0 11 `);
        await vm.removeAll();
        expect(readKernel()).toMatchObject(originals);
      });
    });
  },
);

gatedTest(
  "a previous handler that hangs holds nobody for long, and is said",
  obstacles,
  async () => {
    await withPrevious("exec sleep 600", async (corePattern) => {
      const originals = { ...ORIGINALS, corePattern };
      await withVm({ PREVIOUS_HANDLER: "chain" }, originals, async (vm) => {
        const agent = await vm.start();
        await agent.saysEvent("installed");
        const end = await runCrash("segfault", ["16"]);
        expect(end.signalCode).toBe("SIGSEGV");
        const failure = await agent.saysEvent("previous_handler_failed");
        expect(failure["error"]).toContain("it took more than");
        await agent.saysEvent("upload_finished");
        agent.child.kill("SIGTERM");
        await agent.child.exited;
        expect((await openZipOf("segfault", vm.store, vm.folder)).info.core_complete).toBe(true);
        await vm.removeAll();
      });
    });
  },
);
