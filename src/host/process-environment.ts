// The agent's environment: the process's own variables, which win over those of a `.env` beside the executable, as
// hosts without Kubernetes have (docs/contract.md, section 4).
import { dirname, join } from "node:path";
import { parseEnvFile } from "../model/env-file.ts";
import { readTextFile } from "./files.ts";

/** Environment variables by name. */
export type ProcessEnvironment = Readonly<Record<string, string | undefined>>;

/** Where a program that Bun compiled has its modules. In a run from source the executable is Bun itself. */
const COMPILED_ROOT = "/$bunfs/";

/** Returns whether this is the compiled executable and not a run from source. */
export function isCompiled(): boolean {
  return Bun.main.startsWith(COMPILED_ROOT);
}

/**
 * Returns the environment with the variables that `.env` in `directory` adds. Ignores the `.env` in HOST_DIR: the
 * composer's keys mean something else, so an executable that somebody put into HOST_DIR has no `.env`.
 */
export async function loadEnvironment(
  real: ProcessEnvironment,
  directory: string,
): Promise<ProcessEnvironment> {
  const text = await readTextFile(join(directory, ".env"));
  if (text === undefined) return real;
  const merged = { ...parseEnvFile(text), ...withoutBlanks(real) };
  return merged["HOST_DIR"] === directory ? real : merged;
}

/** Drops blank variables: helm renders an unset value as blank, and that must not hide the file's value. */
function withoutBlanks(real: ProcessEnvironment): ProcessEnvironment {
  return Object.fromEntries(Object.entries(real).filter(([, value]) => value?.trim() !== ""));
}

/** Returns the folder of the executable; in a run from source that is Bun's. */
export function directoryOfExecutable(): string {
  return dirname(process.execPath);
}

/**
 * Copies the AWS_* variables that `.env` added into the process's environment, the only place where the AWS SDK's
 * credential chain looks for them.
 */
export function shareAwsVariables(
  loaded: ProcessEnvironment,
  real: Record<string, string | undefined>,
): void {
  for (const [name, value] of Object.entries(loaded))
    if (name.startsWith("AWS_") && value !== undefined) real[name] = value;
}
