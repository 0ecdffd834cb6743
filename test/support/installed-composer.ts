// The composer installed in a folder of its own, and the kernel told to start it for every crash.
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatEnvFile } from "../../src/model/env-file.ts";
import { planCorePattern, planSocketPattern } from "../../src/model/core-pattern.ts";
import { withCorePattern } from "./borrowed-kernel.ts";
import { executablePath, linkExecutable } from "./executable.ts";
import { askUntilAnswered, startListener } from "./listener.ts";
import { withFolder } from "./temporary-folder.ts";

export interface InstalledComposer {
  folder: string;
  hostDir: string;
  coreDir: string;
  /** Waits until `count` zips are published and no composer is at work. Their paths, oldest first. */
  zips(count: number): Promise<string[]>;
  /** Waits until no composer is at work. Whatever lies in CORE_DIR then, hidden files too. */
  settledFiles(): Promise<string[]>;
  /** The lines of composer.log; throws where one is no JSON. */
  log(): Promise<Record<string, unknown>[]>;
}

type Settings = Record<string, string | number | boolean>;

/** Tests crash the same program many times, on whatever disk and however busy a machine: limits only where they are the subject. */
const UNLIMITED = {
  CRASH_LOOP_LIMIT: 0,
  DUMPS_AT_ONCE: 0,
  DISK_QUOTA: "100%",
  DISK_FREE: "0",
  EXPLAIN_TIMEOUT: 60,
};
const SETTLE_DEADLINE_MS = 120_000;

/** How the kernel hands over the cores of withComposer. */
export type Way = "pipe" | "@" | "@@";

/** CDH_CAPTURE; "pipe" where it is not set. */
export function wayOfTests(): Way {
  const way = process.env["CDH_CAPTURE"] ?? "";
  if (way === "" || way === "pipe") return "pipe";
  if (way === "@" || way === "@@") return way;
  throw new Error(`CDH_CAPTURE is ${way}; expected pipe, @ or @@`);
}

/** Runs with core_pattern pointing at a composer with these settings; IGNORE_CRIO unless they say other. */
export async function withComposer<T>(
  settings: Settings,
  body: (composer: InstalledComposer) => Promise<T>,
  way = wayOfTests(),
): Promise<T> {
  return withFolder(async (folder) => {
    const composer = await installComposer(folder, settings);
    const run = async () => {
      try {
        return await body(composer);
      } finally {
        await composer.settledFiles();
      }
    };
    if (way === "pipe")
      return withPattern(planCorePattern(composer.hostDir, composer.coreDir), run);
    const listener = await startListener(composer.hostDir);
    try {
      return await withPattern(planSocketPattern(composer.hostDir, way === "@@"), run);
    } finally {
      await listener.stop();
    }
  });
}

function withPattern<T>(pattern: string, run: () => Promise<T>): Promise<T> {
  return withCorePattern(pattern, run, { suidDumpable: "2" });
}

/** Executable, `.env` and CORE_DIR, without the kernel. CORE_DIR in the settings may be anywhere. */
export async function installComposer(
  folder: string,
  settings: Settings = {},
): Promise<InstalledComposer> {
  const hostDir = join(folder, "h");
  const coreDir = String(settings["CORE_DIR"] ?? join(hostDir, "cores"));
  await mkdir(hostDir, { recursive: true, mode: 0o700 });
  await mkdir(coreDir, { recursive: true, mode: 0o700 });
  const executable = join(hostDir, "cdc");
  await linkExecutable(await executablePath(), executable);
  const all = {
    ...UNLIMITED,
    IGNORE_CRIO: true,
    LOG_LEVEL: "Info",
    ...settings,
    CORE_DIR: coreDir,
  };
  await writeFile(join(hostDir, ".env"), formatEnvFile(all), { mode: 0o600 });
  return {
    folder,
    hostDir,
    coreDir,
    async zips(count) {
      let files: string[] = [];
      await poll(`${count} zips`, async () => {
        files = await settled(executable, coreDir);
        return files.length >= count;
      });
      return files.filter((name) => name.endsWith(".zip")).map((name) => join(coreDir, name));
    },
    settledFiles: () => settled(executable, coreDir),
    async log() {
      // Before the first crash there is no log.
      const text = await readFile(join(hostDir, "composer.log"), "utf8").catch(() => "");
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line): Record<string, unknown> => JSON.parse(line));
    },
  };
}

async function settled(executable: string, coreDir: string): Promise<string[]> {
  // Connections are taken in their order: whoever crashed before has a composer once we are answered.
  await askUntilAnswered(dirname(executable));
  await poll("no composer at work", async () => (await composersAtWork(executable)).length === 0);
  return (await readdir(coreDir)).toSorted();
}

/** The pids of the composers of the folder that this executable is in, by whomever they were started. */
export async function composersAtWork(executable: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const commands = await Promise.all(
    pids.map(async (pid) => ({
      pid,
      // A process that is gone meanwhile has no command line.
      command: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
    })),
  );
  return commands
    .filter(({ command }) => {
      const [program, role, hostDir] = command.split("\0");
      return (
        program === executable ||
        (role === "composer" && hostDir === `--host-dir=${dirname(executable)}`)
      );
    })
    .map(({ pid }) => pid);
}

async function poll(what: string, condition: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + SETTLE_DEADLINE_MS;
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(`not within two minutes: ${what}`);
    await Bun.sleep(20);
  }
}
