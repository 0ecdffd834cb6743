// Crashes whose cores the kernel itself writes into a folder, as files.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { withCorePattern } from "./borrowed-kernel.ts";
import { withFolder } from "./temporary-folder.ts";

const TIMEOUT_MS = 120_000;

/** Runs with core_pattern pointing into a folder of its own, which is gone at the end. */
export function withCoreFiles<T>(body: (folder: string) => Promise<T>): Promise<T> {
  return withFolder((folder) => withCoresIn(folder, () => body(folder)));
}

/** Runs with core_pattern pointing into this folder. What looks at the cores can follow when others have the kernel. */
export function withCoresIn<T>(folder: string, body: () => Promise<T>): Promise<T> {
  return withCorePattern(join(folder, "core.%p"), body);
}

/** Runs a program until it crashes; the path of the core that the kernel wrote into the folder. */
export async function crashIntoFile(
  folder: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const core = join(folder, `core.${await run(folder, command, environment)}`);
  if (!existsSync(core)) throw new Error(`${command.join(" ")} left no core`);
  return core;
}

/** Runs an arm64 program in QEMU's user mode, which writes the core itself; its path. */
export async function crashInUserMode(
  folder: string,
  qemu: string,
  command: readonly string[],
): Promise<string> {
  const before = new Set(await readdir(folder));
  await run(folder, [qemu, ...command], {});
  const core = (await readdir(folder)).find(
    (name) => name.startsWith("qemu_") && !before.has(name),
  );
  if (core === undefined) throw new Error(`${command.join(" ")} left no core of QEMU's`);
  return join(folder, core);
}

async function run(
  folder: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  const child = Bun.spawn(["sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh", ...command], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "ignore", "ignore"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  await child.exited;
  return child.pid;
}
