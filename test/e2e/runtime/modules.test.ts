// A container with a program and a library of its own crashes; its pod, its image and the build are removed; and what the
// store has is enough for a debugger: every function, and the lines where debug files were added.
import { expect } from "bun:test";
import { copyFileSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openModuleDelivery } from "../../../src/agent/modules/module-delivery.ts";
import { readAgentSettings } from "../../../src/config/agent-settings.ts";
import { temporaryFolder } from "../../support/dumps.ts";
import { eventually } from "../../support/eventually.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { writeImage } from "../../support/container-images.ts";
import { withComposer } from "../../support/installed-composer.ts";
import { buildOwnProgram } from "../../support/own-program.ts";
import { startPod } from "../../support/pods.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { runTool } from "../../support/run-tool.ts";
import { crashFirst, runtimeSuite } from "../../support/runtime-suite.ts";

const MAIN = join(import.meta.dir, "../../../src/main.ts");
const IMAGE = "registry.test/own:1";
const suite = runtimeSuite();
const missing = ["objcopy", "ldd"].map(missingProgram);

/** What the loader maps for it, by its real path. */
async function systemFilesOf(program: string): Promise<string[]> {
  const listed = await Bun.spawn(["ldd", program], {
    stdio: ["ignore", "pipe", "ignore"],
  }).stdout.text();
  return [...listed.matchAll(/\s(\/lib\S+) \(0x/g)].map(([, path = ""]) => path);
}

async function run(environment: Record<string, string>, ...args: string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [said, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return said + errors;
}

const GDB_FRAMES =
  /#0 .* write_there .*greet\.c:\d+\n(?:.*\n)*?#1 .* greet_world .*greet\.c:\d+\n#2 .* serve .*app\.c:\d+\n#3 .* main .*app\.c:\d+/;
const LLDB_FRAMES =
  /#0: .*`write_there.* at greet\.c:\d+(?:.*\n)+?.*#1: .*`greet_world.*\n.*#2: .*`serve.* at app\.c:\d+(?:.*\n).*#3: .*`main/;

/** What a person has then: the settings of the store. Made once, for all debuggers. */
let prepared: Promise<Record<string, string>> | undefined;

async function prepare(): Promise<Record<string, string>> {
  const folder = temporaryFolder();
  const [build, store] = [join(folder, "build"), join(folder, "store")];
  mkdirSync(store);
  const { program, library } = await buildOwnProgram(build, { splits: true });
  const system = (await systemFilesOf(program)).filter((path) => !path.startsWith(build));
  const files = {
    "opt/own/bin/app": program,
    "opt/own/lib/libgreet.so.1": library,
    ...Object.fromEntries(system.map((path) => [path.slice(1), realpathSync(path)])),
  };
  const entrypoint = ["/opt/own/bin/app"];
  const image = await writeImage({ reference: IMAGE, files, entrypoint }, folder);
  const containerd = suite.containerd();
  const images = ["ctr", "--address", containerd.socket, "--namespace", "k8s.io", "images"];
  await runTool([...images, "import", image]);
  const variables = {
    STORE_URL: `file://${store}`,
    STORE_MODULE_PREFIX: "debug",
    XDG_CACHE_HOME: join(folder, "cache"),
    HOME: folder,
  };
  await withComposer(suite.settings({ MODULES: "all" }), async (composer) => {
    const containers = [{ name: "own", image: IMAGE, args: ["signal"] }];
    const pod = await startPod(containerd, { name: "own", namespace: "shop", containers });
    await crashFirst({ pod });
    const [zip = "none"] = await composer.zips(1);
    await eventually(async () =>
      (await composer.log()).some(({ event }) => event === "modules_kept"),
    );
    copyFileSync(zip, join(store, "T.zip"));
    const settings = readAgentSettings({ ...variables, CORE_DIR: composer.coreDir });
    const { signal } = new AbortController();
    const delivery = openModuleDelivery({ settings, log: recordedLog(), signal });
    expect((await delivery.sweep(() => Promise.resolve())).failed).toBe(0);
    delivery.close();
    const gone = { podSandboxId: pod.id };
    await containerd.cri.call("StopPodSandbox", gone);
    await containerd.cri.call("RemovePodSandbox", gone);
    await runTool([...images, "rm", IMAGE]);
  });
  expect(await run(variables, "modules", "add", join(build, "debug"))).toMatch(/^added/m);
  rmSync(build, { recursive: true });
  return variables;
}

gatedTest(
  "gdb shows every frame of a container that is gone with its image",
  [...suite.obstacles, ...missing, missingProgram("gdb")],
  async () => {
    const variables = await (prepared ??= prepare());
    const orders = ["--with", "gdb", "--", "-batch", "-ex", "bt"];
    const trace = await run(variables, "debug", "T.zip", ...orders);
    expect(trace).toMatch(GDB_FRAMES);
    expect(trace).toContain("/opt/own/bin/app is the build that crashed");
    expect(await run(variables, "debug", "--namespace", "shop", ...orders)).toMatch(GDB_FRAMES);
  },
);

gatedTest(
  "lldb shows them too",
  [...suite.obstacles, ...missing, missingProgram("lldb")],
  async () => {
    const variables = await (prepared ??= prepare());
    const orders = ["--with", "lldb", "--", "--batch", "-o", "bt"];
    expect(await run(variables, "debug", "T.zip", ...orders)).toMatch(LLDB_FRAMES);
  },
);
