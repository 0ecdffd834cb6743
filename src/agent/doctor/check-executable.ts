// Checks HOST_DIR/cdc: it exists, only root may change it, it is built for this machine, and its loader is on this
// host. Only the canary proves that the kernel can start it, because a container does not see the host's libraries.
import { lstat } from "node:fs/promises";
import { machineName } from "../../host/machine.ts";
import { join } from "node:path";
import { readElfProgram, type ElfProgram } from "../../host/elf-program.ts";
import { exists } from "../../host/files.ts";
import { runProgram } from "../../host/run-program.ts";
import { errnoOf } from "../../model/app-error.ts";
import { COMPOSER_NAME } from "../../model/core-pattern.ts";
import { failed, failedBy, ok, skipped, type CheckContext, type CheckResult } from "./check.ts";
import { readInstalledCapture } from "./installed-capture.ts";

const AGAIN = "restart the agent, or run core-dump-handler install again";
const OWN_LOADER = "set VENDOR=auto (it chooses), or VENDOR=self-contained, which brings its own";
const START_MS = 10_000;

/** Checks the composer's executable. */
export async function checkExecutable({ settings }: CheckContext): Promise<CheckResult> {
  const { mode } = await readInstalledCapture(settings);
  if (mode !== "pipe") return skipped(`by ${mode}, the kernel starts no program of ours`);
  const path = join(settings.HOST_DIR, COMPOSER_NAME);
  const found = await lstat(path).catch((error: unknown) => errnoOf(error) ?? "unreadable");
  if (typeof found === "string") return failed(`${path} is not there (${found})`, AGAIN);
  if (!found.isFile()) return failed(`${path} is no regular file`, AGAIN);
  if (found.uid !== 0 || (found.mode & 0o022) !== 0)
    return failed(`others than root may change ${path}`, AGAIN);
  if ((found.mode & 0o100) === 0) return failed(`${path} may not be executed`, AGAIN);
  let program: ElfProgram;
  try {
    program = await readElfProgram(path);
  } catch (error) {
    return failedBy(error, AGAIN);
  }
  if (program.machine !== machineName())
    return failed(
      `${path} is made for ${program.machine}, and this machine is ${machineName()}`,
      "use the image, or the executable, of this architecture",
    );
  return checkLoader(path, program, settings);
}

async function checkLoader(
  path: string,
  { loader: named, machine: made }: ElfProgram,
  { HOST_DIR, POD_NAME }: CheckContext["settings"],
): Promise<CheckResult> {
  const loader = named ?? "no loader";
  const isHostsRoot = POD_NAME === "";
  const isVisible = isHostsRoot || loader.startsWith(`${HOST_DIR}/`);
  if (named !== undefined && isVisible && !(await exists(loader)))
    return failed(`${path} needs the loader ${loader}, which is not on this host`, OWN_LOADER);
  if (!isHostsRoot) return ok(`for ${made}, with ${loader}`);
  const run = await runProgram([path, "--help"], { timeoutMs: START_MS });
  if (run.exitCode === 0) return ok(`for ${made}, with ${loader}; it starts`);
  return failed(
    `${path} does not start (${run.reason})`,
    OWN_LOADER,
    run.output.trim().slice(0, 500),
  );
}
