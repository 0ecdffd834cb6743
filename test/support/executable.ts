// The compiled executable of this machine, built once per run when the sources are newer than it.
import { Glob } from "bun";
import { statSync } from "node:fs";
import { join } from "node:path";
import { ROOT, executableOf, hostTarget } from "../../build/targets.ts";

const SOURCES = new Glob("{src/**/*.ts,build/{build,targets}.ts,package.json,bun.lock}");

let located: Promise<string> | undefined;

/** The executable's path. CDH_EXECUTABLE names a finished one, which is then taken as it is. */
export function executablePath(): Promise<string> {
  located ??= locate();
  return located;
}

async function locate(): Promise<string> {
  const given = process.env["CDH_EXECUTABLE"];
  if (given !== undefined && given !== "") return given;
  const target = hostTarget();
  const executable = executableOf(target);
  if (modifiedMs(executable) >= newestSourceMs()) return executable;
  const script = join(ROOT, "build/build.ts");
  const build = Bun.spawn([process.execPath, script, "--target", target.name], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if ((await build.exited) !== 0) throw new Error("the executable could not be built");
  return executable;
}

function newestSourceMs(): number {
  return Math.max(...[...SOURCES.scanSync(ROOT)].map((path) => modifiedMs(join(ROOT, path))));
}

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
