// The steps of the demo, each one line on the screen. The composer, the agent's installation, its sweep
// and its removal are the real ones, run from the executable that was built for this machine.
import { closeSync, existsSync, openSync } from "node:fs";
import { copyFile, glob, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatEnvFile } from "../src/model/env-file.ts";
import { snapshotCore } from "./snapshot-core.ts";
import { withKernel, readKernel } from "../test/support/borrowed-kernel.ts";
import { runCommand, startCommand, type CommandOptions, type RunningCommand } from "./command.ts";
import { bold, lastLines, say, step, type Outcome } from "./console.ts";
import { MEMORY_MB, crash, type DemoProgram } from "./demo-program.ts";
import { executableOf, hostTarget } from "./targets.ts";

export interface DemoContext {
  executable: string;
  program: DemoProgram;
  paths: { folder: string; hostDir: string; storeDir: string };
}

/** Shorter than the default, so that the names fit on a screen. */
const FILENAME_TEMPLATE = "{exe_name}-{pid}-{timestamp}";
const INSTALL_DEADLINE_MS = 20_000;
const START_DEADLINE_MS = 3_000;
const PUBLISH_DEADLINE_MS = 30_000;

export async function buildExecutable(): Promise<string> {
  const target = hostTarget();
  const { output } = await step("build", async () => {
    const end = await runCommand([process.execPath, "build/build.ts", "--target", target.name]);
    return { mark: end.ok ? "ok" : "FAILED", note: target.name, output: end.ok ? "" : end.output };
  });
  if (output !== "") throw new Error(lastLines(output));
  return executableOf(target);
}

/** Why the kernel cannot be told to start the composer, or undefined. */
export function kernelObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  try {
    closeSync(openSync("/proc/sys/kernel/core_pattern", "r+"));
    return undefined;
  } catch {
    return "core_pattern cannot be written";
  }
}

/** Agent, crash, zip in CORE_DIR. How long the process was held; undefined when no composer was started. */
export async function throughKernel(context: DemoContext): Promise<number | undefined> {
  const options = agentOptions(context);
  const run = async () => {
    const agent = startCommand([context.executable, "agent"], options);
    try {
      await mustStep("install", () => awaitPattern(context, agent));
      let heldMs = 0;
      await mustStep("crash", async () => {
        const end = await crash(context.program);
        heldMs = end.heldMs;
        return `${MEMORY_MB} MB of memory, ended by ${end.signalCode}`;
      });
      const { mark } = await step("compose", () => awaitZip(context));
      if (mark === "FAILED") throw new Error(await composerLog(context));
      return mark === "ok" ? heldMs : undefined;
    } finally {
      await agent.stop();
      await runCommand([context.executable, "remove"], options);
    }
  };
  return withKernel({}, run, { handleSignals: false });
}

async function awaitPattern(context: DemoContext, agent: RunningCommand): Promise<string> {
  const installed = () => readKernel().corePattern.includes(context.paths.hostDir);
  if (await until(installed, INSTALL_DEADLINE_MS, agent.exited))
    return "the agent has set core_pattern";
  throw new Error(`the agent did not set core_pattern:\n${lastLines((await agent.stop()).output)}`);
}

/**
 * In a container with a root of its own the kernel looks for the composer on the host's: it is never
 * started, and leaves no line in its log.
 */
async function awaitZip({ paths }: DemoContext): Promise<Outcome> {
  const started = async () => existsSync(join(paths.hostDir, "composer.log"));
  const published = async () => (await zipsBelow(join(paths.hostDir, "cores"))).length > 0;
  if (!(await until(started, START_DEADLINE_MS)))
    return { mark: "skipped", note: "the kernel cannot see our folder" };
  if (await until(published, PUBLISH_DEADLINE_MS))
    return { mark: "ok", note: "the zip is in CORE_DIR" };
  return { mark: "FAILED", note: "no zip, see composer.log" };
}

/** The composer with a core on stdin, as the kernel would start it. How long it took, in milliseconds. */
export async function throughPipe(context: DemoContext): Promise<number> {
  const { hostDir, folder } = context.paths;
  const coreDir = join(hostDir, "cores");
  const core = join(folder, "core");
  const composer = join(hostDir, "cdc");
  await mkdir(coreDir, { recursive: true, mode: 0o700 });
  await copyFile(context.executable, composer);
  await writeFile(
    join(hostDir, ".env"),
    formatEnvFile({ CORE_DIR: coreDir, IGNORE_CRIO: true, FILENAME_TEMPLATE }),
  );
  const child = Bun.spawn(context.program.waiting, { stdio: ["ignore", "pipe", "ignore"] });
  try {
    await mustStep("snapshot", async () => {
      await child.stdout.getReader().read();
      await snapshotCore(child.pid, core);
      return `of a running process with ${MEMORY_MB} MB`;
    });
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
  const startedMs = performance.now();
  await mustStep("compose", async () => {
    const args = [`-d=${coreDir}`, `-p=${child.pid}`, `-P=${child.pid}`, "-s=11", "-e=demo"];
    const run = Bun.spawn(
      [composer, ...args, `-t=${Math.floor(Date.now() / 1000)}`, "-h=localhost", "-E=!demo"],
      { stdio: [Bun.file(core), "ignore", "pipe"], cwd: "/", env: {} },
    );
    const [errors] = await Promise.all([run.stderr.text(), run.exited]);
    if (run.exitCode !== 0) throw new Error(`the composer ended with ${run.exitCode}: ${errors}`);
    return "the zip is in CORE_DIR";
  });
  return performance.now() - startedMs;
}

/** The agent's sweep into the store. The delivered zip's path. */
export async function deliver(context: DemoContext): Promise<string> {
  let delivered: string | undefined;
  await mustStep("deliver", async () => {
    const end = await runCommand([context.executable, "sweep"], agentOptions(context));
    [delivered] = await zipsBelow(context.paths.storeDir);
    if (!end.ok || delivered === undefined)
      throw new Error(`${end.reason}\n${lastLines(end.output)}`);
    return "by the agent's sweep";
  });
  if (delivered === undefined) throw new Error("nothing was delivered");
  return delivered;
}

/** The pages over the store, until Ctrl-C. */
export async function servePages({ executable, paths }: DemoContext): Promise<void> {
  const argv = [executable, "serve", paths.storeDir, "--port", "0"];
  const pages = startCommand(argv, { inheritEnv: false });
  const address = () => /http:\S+/.exec(pages.output())?.[0];
  if (!(await until(() => address() !== undefined, START_DEADLINE_MS, pages.exited)))
    throw new Error(`the pages were not served:\n${lastLines((await pages.stop()).output)}`);
  say(`\n${bold("All crashes")} of the demo's store: ${address()}`);
  say("  Ctrl-C ends it.");
  await pages.exited;
}

/** Settings that happen to be in the caller's environment are not the demo's. */
function agentOptions({ paths }: DemoContext): CommandOptions {
  const env = {
    HOST_DIR: paths.hostDir,
    CORE_DIR: join(paths.hostDir, "cores"),
    STORE_URL: `file://${paths.storeDir}`,
    COMP_IGNORE_CRIO: "true",
    // One small dump on whatever disk there is.
    COMP_DISK_FREE: "0",
    COMP_FILENAME_TEMPLATE: FILENAME_TEMPLATE,
    HTTP_PORT: "0",
  };
  return { env, inheritEnv: false };
}

function composerLog({ paths }: DemoContext): Promise<string> {
  return readFile(join(paths.hostDir, "composer.log"), "utf8");
}

async function zipsBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const name of glob("**/*.zip", { cwd: folder })) found.push(join(folder, name));
  return found;
}

/** A step that throws instead of going on. */
async function mustStep(title: string, run: () => Promise<string>): Promise<void> {
  let failure: unknown;
  await step(title, async () => {
    try {
      return { mark: "ok", note: await run() };
    } catch (error) {
      failure = error;
      return { mark: "FAILED" };
    }
  });
  if (failure !== undefined) throw failure;
}

/** Polls. False at the deadline, or when `ended` comes first. */
async function until(
  condition: () => boolean | Promise<boolean>,
  deadlineMs: number,
  ended?: Promise<unknown>,
): Promise<boolean> {
  let over = false;
  void ended?.then(() => (over = true));
  const endMs = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (over || Date.now() > endMs) return false;
    await Bun.sleep(20);
  }
  return true;
}
