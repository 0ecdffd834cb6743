// `bun run demo`: a program crashes for real, the composer takes its core, the agent delivers the zip.
// Through the kernel where we are root and core_pattern can be written (given back whatever happens);
// else the composer gets a core that we made. `-- --keep` keeps the result, `-- --serve` shows it in a page.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { endCommandsOnSignal } from "./command.ts";
import { bold, formatDuration, lastLines, say, step } from "./console.ts";
import {
  buildExecutable,
  deliver,
  kernelObstacle,
  servePages,
  throughKernel,
  throughPipe,
} from "./demo-steps.ts";
import { chooseProgram } from "./demo-program.ts";
import { showDump, showReport } from "./demo-report.ts";
import { installNpmPackages } from "./setup.ts";
import { restoreNow } from "../test/support/borrowed-kernel.ts";

const keep = process.argv.includes("--keep");
const serve = process.argv.includes("--serve");

say(bold("core-dump-handler demo"));
say("A program crashes, its core becomes a zip, the zip reaches the store.\n");

// core_pattern holds 127 characters, so the folder's path has to be short whatever TMPDIR says.
const folder = await mkdtemp("/tmp/cdh-demo-");
const paths = { folder, hostDir: join(folder, "host"), storeDir: join(folder, "store") };
const clean = async () => {
  if (!keep) await rm(folder, { recursive: true, force: true });
};
endCommandsOnSignal(async () => {
  restoreNow();
  await clean();
});

try {
  await run();
} catch (error) {
  say(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await clean();
}

async function run(): Promise<void> {
  const npm = await step("npm packages", installNpmPackages);
  if (npm.mark === "FAILED") throw new Error(lastLines(npm.output ?? ""));
  const executable = await buildExecutable();
  await mkdir(paths.storeDir);
  const program = await chooseProgram();
  const obstacle = kernelObstacle();
  if (obstacle === undefined) {
    say("\n  kernel.core_pattern is ours until the crash is handled; it is given back");
    say("  at the end, and on Ctrl-C too.");
  } else say(`\n  Not through the kernel here (${obstacle}): the composer gets a core by hand.`);
  say(`  What crashes: ${program.title}.\n`);

  const context = { executable, program, paths };
  let heldMs = obstacle === undefined ? await throughKernel(context) : undefined;
  const crashedForReal = heldMs !== undefined;
  if (obstacle === undefined && !crashedForReal)
    say("\n  A container with a root of its own: the composer gets a core by hand.\n");
  heldMs ??= await throughPipe(context);
  const zip = await deliver(context);
  say();
  const held = crashedForReal ? "The crashed process was held for" : "Taking the core took";
  say(bold(`${held} ${formatDuration(heldMs)}.`));
  await showDump(zip, { executable, program, keep, isReal: crashedForReal });
  if (keep) say(`\nKept: ${folder}`);
  await showReport(zip);
  if (serve) await servePages(context);
  else say("  `-- --serve` shows it, and all others, in the pages of `serve`.");
}
