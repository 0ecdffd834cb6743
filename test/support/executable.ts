// The compiled executables, each built once per run when the sources are newer than it.
import { Glob } from "bun";
import { statSync } from "node:fs";
import { copyFile, link } from "node:fs/promises";
import { join } from "node:path";
import { ROOT, executableOf, hostTarget, type Target } from "../../build/targets.ts";

/** One glob each: alternatives that hold a slash match nothing in Bun 1.4.5. */
const SOURCES = [
  "src/**/*.{js,ts}",
  "build/{build,runtimes,targets}.ts",
  "{package.json,bun.lock}",
];

const built = new Map<string, Promise<string>>();

/** This machine's executable. CDH_EXECUTABLE names a finished one, which is then taken as it is. */
export function executablePath(): Promise<string> {
  const given = process.env["CDH_EXECUTABLE"] ?? "";
  return given === "" ? builtExecutable(hostTarget()) : Promise.resolve(given);
}

/** A target's executable in dist/. */
export function builtExecutable(target: Target): Promise<string> {
  const path = built.get(target.name) ?? buildIfStale(target);
  built.set(target.name, path);
  return path;
}

/**
 * The executable under another path, for a test whose HOST_DIR is that path's folder (the composer's
 * `.env`, log and state stand beside it). 100 MB that need no copy, unless dist/ is on another file system.
 */
export async function linkExecutable(executable: string, path: string): Promise<string> {
  await link(executable, path).catch(() => copyFile(executable, path));
  return path;
}

async function buildIfStale(target: Target): Promise<string> {
  const executable = executableOf(target);
  if (modifiedMs(executable) >= newestSourceMs()) return executable;
  const script = join(ROOT, "build/build.ts");
  const build = Bun.spawn([process.execPath, script, "--target", target.name], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if ((await build.exited) !== 0) throw new Error(`${target.name} could not be built`);
  return executable;
}

function newestSourceMs(): number {
  const paths = SOURCES.flatMap((source) => [...new Glob(source).scanSync(ROOT)]);
  return Math.max(...paths.map((path) => modifiedMs(join(ROOT, path))));
}

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
