// `bun run TASK …`: sets the clone up, then runs one of the tasks below. Imports nothing from node_modules, which the
// set-up may yet have to fill.
import { endCommandsOnSignal } from "./command.ts";
import { lastLines, say } from "./console.ts";
import { installDebianPackages, installNpmPackages } from "./setup.ts";
import { ROOT } from "./targets.ts";

interface Task {
  argv: (args: readonly string[]) => readonly string[];
  env?: Record<string, string>;
  /** Whether the task uses the Debian packages of packages.ts. */
  needsPackages?: true;
  /** What must follow the task's name. */
  needs?: string;
}

const BUN = process.execPath;
const E2E = [BUN, "test", "--timeout", "30000"];

/** The tasks by the names that package.json gives them. */
export const TASKS: Readonly<Record<string, Task>> = {
  build: { argv: (args) => [BUN, "build/build.ts", ...args] },
  format: { argv: (args) => [BUN, "fmt", "--no-script", ...args] },
  types: { argv: () => [BUN, "check", "--no-script"] },
  lint: {
    argv: (args) => [
      BUN,
      "node_modules/oxlint/bin/oxlint",
      "--type-aware",
      "--deny-warnings",
      ...args,
    ],
  },
  imports: { argv: () => [BUN, "build/import-table.ts"] },
  chart: { argv: () => [BUN, "build/chart-generate.ts"] },
  unit: {
    argv: (args) => [BUN, "test", "--randomize", ...(args.length > 0 ? args : ["test/unit"])],
  },
  test: {
    argv: (args) => [...E2E, ...args],
    needsPackages: true,
    needs: "a file or folder of test/",
  },
  e2e: {
    argv: (args) => [...E2E, ...(args.length > 0 ? args : ["test/e2e"])],
    needsPackages: true,
  },
  kernel: {
    argv: (args) => [...E2E, ...(args.length > 0 ? args : ["test/e2e/kernel"])],
    env: { CDH_TEST_KERNEL: "1" },
    needsPackages: true,
  },
  campaign: { argv: (args) => [BUN, "test/campaign.ts", ...args], needsPackages: true },
  tenants: {
    argv: (args) => [BUN, "test/tenants-campaign.ts", ...args],
    env: { CDH_TEST_KERNEL: "1" },
    needsPackages: true,
  },
  session: { argv: (args) => [BUN, "build/session.ts", ...args], needsPackages: true },
  bench: {
    argv: ([name = "", ...args]) => [BUN, `bench/${name}.ts`, ...args],
    env: { CDH_TEST_KERNEL: "1" },
    needsPackages: true,
    needs: "the name of a file in bench/",
  },
};

/** Runs a task with the terminal as its own. Returns its exit code. */
export async function runTask(name: string, args: readonly string[]): Promise<number> {
  const task = TASKS[name];
  if (task === undefined) return fail(`there is no task ${name}: ${Object.keys(TASKS).join(", ")}`);
  if (task.needs !== undefined && args.length === 0)
    return fail(`bun run ${name} needs ${task.needs}: bun run ${name} -- …`);
  const npm = await installNpmPackages();
  if (npm.mark === "FAILED")
    return fail(`npm packages: ${npm.note ?? ""}\n${lastLines(npm.output ?? "")}`);
  if (task.needsPackages === true) await installDebianPackages();
  const child = Bun.spawn([...task.argv(args)], {
    cwd: ROOT,
    env: { ...process.env, ...task.env },
    stdio: ["inherit", "inherit", "inherit"],
  });
  return child.exited;
}

function fail(sentence: string): number {
  say(sentence);
  return 1;
}

if (import.meta.main) {
  endCommandsOnSignal();
  const [name = "", ...args] = process.argv.slice(2);
  process.exitCode = await runTask(
    name,
    args.filter((arg, at) => at > 0 || arg !== "--"),
  );
}
