// `bun run session`: records docs/session.svg, the README's terminal session. A program crashes for real, through the
// kernel, and the commands are run on its dump in a terminal of their own. As root; core_pattern is given back.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { endCommandsOnSignal, runCommand } from "./command.ts";
import { say } from "./console.ts";
import { buildExecutable, deliver, kernelObstacle, throughKernel } from "./demo-steps.ts";
import { ROOT } from "./targets.ts";
import { drawTerminal } from "./terminal-picture.ts";
import { restoreNow } from "../test/support/borrowed-kernel.ts";

const COLUMNS = Number(process.argv[2] ?? 104);
const OUTPUT = process.argv[3] ?? join(ROOT, "docs/session.svg");

/** What is typed. */
const LINES = ["core-dump-handler list --store", "core-dump-handler explain shop-cart --store"];

const folder = await mkdtemp("/tmp/cdh-session-");
endCommandsOnSignal(async () => {
  restoreNow();
  await rm(folder, { recursive: true, force: true });
});
try {
  const obstacle = kernelObstacle();
  if (obstacle !== undefined)
    throw new Error(`a session is recorded through the kernel: ${obstacle}`);
  await writeFile(OUTPUT, drawTerminal("A crash, listed and explained", await record(), COLUMNS));
  say(`\n${OUTPUT}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function record(): Promise<string> {
  const paths = { folder, hostDir: join(folder, "host"), storeDir: join(folder, "store") };
  await mkdir(paths.storeDir);
  const executable = await buildExecutable();
  const shop = join(folder, "shop-cart");
  const built = await runCommand(["cc", "-O1", "-g", "-o", shop, join(ROOT, "build/shop.c")]);
  if (!built.ok) throw new Error(built.output);
  const program = { title: "a shop", path: shop, crashing: [shop], waiting: [shop] };
  const context = { executable, program, paths };
  if ((await throughKernel(context)) === undefined)
    throw new Error("the kernel started no composer");
  await deliver(context);
  const shown: string[] = [];
  for (const line of LINES) {
    const typed = line.replace("core-dump-handler", executable);
    // script(1) gives the command a terminal, so that it shows what a person would see.
    const terminal = ["script", "-qec", `stty cols ${COLUMNS}; ${typed}`, "/dev/null"];
    const env = {
      HOST_DIR: paths.hostDir,
      STORE_URL: `file://${paths.storeDir}`,
      TERM: "xterm",
      PATH: "/usr/bin:/bin",
    };
    const end = await runCommand(terminal, { env, inheritEnv: false });
    shown.push(`$ ${line}`, ...asShown(end.output.replaceAll(folder, "/app")), "");
  }
  return shown.join("\n");
}

/** The lines as they stay: a line of progress is overwritten by what follows its carriage return. */
function asShown(output: string): string[] {
  return output
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.replace(/^[^]*\r(\u001b\[K)?/, ""));
}
