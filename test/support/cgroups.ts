// Cgroups made by tests: a process put where a container runtime would have put it, and the removal of
// what runtimes leave behind.
import { accessSync, constants, existsSync } from "node:fs";
import { mkdir, readFile, readdir, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const ROOT = "/sys/fs/cgroup";
const KILL_TRIES = 100;

/** Why no cgroup can be made here, or undefined. */
export function cgroupObstacle(): string | undefined {
  const root = existsSync(join(ROOT, "cgroup.procs")) ? ROOT : join(ROOT, "systemd");
  try {
    accessSync(root, constants.W_OK);
    return undefined;
  } catch {
    return "needs root, and cgroups that can be written to";
  }
}

/** Runs with the process in `path` below the hierarchies named; by default those that name processes. */
export async function withCgroup<T>(
  pid: number,
  path: string,
  body: () => Promise<T>,
  wanted: readonly string[] = ["systemd", "unified"],
): Promise<T> {
  for (const root of await hierarchies()) {
    if (root !== ROOT && !wanted.some((name) => root === join(ROOT, name))) continue;
    await mkdir(join(root, path), { recursive: true });
    await writeFile(join(root, path, "cgroup.procs"), String(pid));
  }
  try {
    return await body();
  } finally {
    await endCgroup(path);
  }
}

/** Kills what runs in the cgroup, in every hierarchy, and removes it; its parents too where they are empty. */
export async function endCgroup(path: string): Promise<void> {
  for (const root of await hierarchies()) {
    await removeTree(join(root, path));
    for (let parent = dirname(path); parent !== "/"; parent = dirname(parent))
      if (!(await removed(join(root, parent)))) break;
  }
}

async function removeTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries)
    if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  for (let tries = 0; tries < KILL_TRIES && !(await removed(directory)); tries++) {
    const pids = await readFile(join(directory, "cgroup.procs"), "utf8").catch(() => "");
    for (const pid of pids.split("\n").filter(Boolean)) process.kill(Number(pid), "SIGKILL");
    await Bun.sleep(10);
  }
}

/** True when the directory is gone, or was never there. */
function removed(directory: string): Promise<boolean> {
  return rmdir(directory).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
}

/** The roots of the cgroup v1 hierarchies and of the unified one; a v2 machine has but one. */
async function hierarchies(): Promise<string[]> {
  const names = await readdir(ROOT);
  return names.includes("cgroup.procs") ? [ROOT] : names.map((name) => join(ROOT, name));
}
