// Makes a fresh clone ready: npm packages by the lock file, and for the tests the Debian packages of
// packages.ts. Imports nothing from node_modules, as that is what it fills.
import { existsSync } from "node:fs";
import { endCommandsOnSignal, runCommand } from "./command.ts";
import { lastLines, say, step, type Outcome } from "./console.ts";
import { missingPackages, type DebianPackage } from "./packages.ts";

const APT_TRIES = 3;

export interface SetupOutcome extends Outcome {
  /** What the failed command said. */
  output?: string;
}

/** npm packages, exactly as bun.lock names them. A few milliseconds when they are here already. */
export async function installNpmPackages(): Promise<SetupOutcome> {
  const end = await runCommand([process.execPath, "install", "--frozen-lockfile"]);
  if (end.ok) return { mark: "ok", note: "as bun.lock says" };
  return { mark: "FAILED", note: end.reason, output: end.output };
}

/**
 * Debian packages: only what is missing, only as root, only with apt-get. Where that cannot be, the outcome
 * is "skipped" with their names, and so are the tests that need them. CDH_SETUP_APT=0 turns apt-get off.
 */
export async function installDebianPackages(): Promise<SetupOutcome> {
  const missing = missingPackages();
  if (missing.length === 0) return { mark: "ok", note: "all there" };
  const obstacle = aptObstacle();
  if (obstacle !== undefined)
    return {
      mark: "skipped",
      note: `${missing.length} missing, ${obstacle}`,
      output: describe(missing),
    };
  return aptInstall(missing);
}

function aptObstacle(): string | undefined {
  if (process.env["CDH_SETUP_APT"] === "0") return "CDH_SETUP_APT=0";
  if (!existsSync("/usr/bin/apt-get")) return "no apt-get here";
  return process.getuid?.() === 0 ? undefined : "not root";
}

async function aptInstall(missing: readonly DebianPackage[]): Promise<SetupOutcome> {
  // RUNLEVEL=1 tells invoke-rc.d that no service is wanted: the tests start their own.
  const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const names = missing.map(({ name }) => name);
  let end = await runCommand(["apt-get", "--version"]);
  for (let attempt = 1; attempt <= APT_TRIES; attempt++) {
    end = await runCommand(["apt-get", "update", "-q"], { env });
    if (end.ok)
      end = await runCommand(
        ["apt-get", "install", "-q", "-y", "--no-install-recommends", ...names],
        { env },
      );
    if (end.ok) return { mark: "ok", note: `installed ${names.length} packages` };
    if (attempt < APT_TRIES) await Bun.sleep(attempt * 5_000);
  }
  // No mirror within reach, for one. The tests that need them are skipped, each with its reason.
  return {
    mark: "skipped",
    note: `apt-get: ${end.reason}`,
    output: `${lastLines(end.output)}\n${describe(missing)}`,
  };
}

function describe(packages: readonly DebianPackage[]): string {
  const lines = packages.map(({ name, reason }) => `  ${name.padEnd(18)}${reason}`);
  return `these Debian packages would let more tests run:\n${lines.join("\n")}`;
}

if (import.meta.main) {
  endCommandsOnSignal();
  const npm = await step("npm packages", installNpmPackages);
  const debian = await step("Debian packages", installDebianPackages);
  for (const { output } of [npm, debian]) if (output !== undefined) say(`\n${output}`);
  process.exitCode = npm.mark === "FAILED" || debian.mark === "FAILED" ? 1 : 0;
}
