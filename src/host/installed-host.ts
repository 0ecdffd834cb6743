// Finds the install on this host for a person who types a command: the agent's `.env`, and the folders that core_pattern
// and the composer's `.env` name. Variables that are set win.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../model/app-error.ts";
import { hostDirOf } from "../model/core-pattern.ts";
import { parseEnvFile } from "../model/env-file.ts";
import { CORE_PATTERN } from "../model/sysctls.ts";
import { loadEnvironment, type ProcessEnvironment } from "./process-environment.ts";

/** What was found. */
export interface InstalledHost {
  environment: ProcessEnvironment;
  /** A `.env` of the agent's that only root can read; undefined where none stood in the way. */
  unreadable?: string;
}

/** The agent's variables that the composer's `.env` repeats, and their names there. */
const FOLDERS = { CORE_DIR: "CORE_DIR", EVENT_DIR: "EVENT_DIRECTORY" } as const;

/**
 * Returns the environment together with the first `.env` in these directories and, unless HOST_DIR is set by then, with
 * HOST_DIR, CORE_DIR and EVENT_DIR of the install that core_pattern names. Throws AppError "host" where a `.env` is no
 * regular file.
 */
export async function findInstalled(
  real: ProcessEnvironment,
  directories: readonly string[],
): Promise<InstalledHost> {
  for (const directory of directories) {
    try {
      const loaded = await loadEnvironment(real, directory);
      if (loaded !== real) return { environment: await withHostDir(loaded) };
    } catch (error) {
      if (!(error instanceof Error) || errnoOf(error.cause) !== "EACCES") throw error;
      return { environment: await withHostDir(real), unreadable: join(directory, ".env") };
    }
  }
  return { environment: await withHostDir(real) };
}

async function withHostDir(environment: ProcessEnvironment): Promise<ProcessEnvironment> {
  if (isSet(environment["HOST_DIR"])) return environment;
  const procRoot = environment["PROC_ROOT"]?.trim() || "/proc";
  const hostDir = hostDirOf(await readIfPossible(join(procRoot, "sys", CORE_PATTERN.path)));
  if (hostDir === undefined) return environment;
  const installed = parseEnvFile(await readIfPossible(join(hostDir, ".env")));
  const folders = Object.entries(FOLDERS).flatMap(([variable, key]) => {
    const folder = installed[key];
    return folder === undefined || isSet(environment[variable]) ? [] : [[variable, folder]];
  });
  return { ...environment, HOST_DIR: hostDir, ...Object.fromEntries(folders) };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== "";
}

async function readIfPossible(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
