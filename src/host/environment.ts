// The agent's environment: the real one, over a `.env` beside the executable (docs/contract.md, section 4; VMs).
import { dirname, join } from "node:path";
import { parseEnvFile } from "../model/env-file.ts";
import { readTextFile } from "./files.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A program that Bun compiled has its modules here; run from source, the executable is Bun itself. */
const COMPILED_ROOT = "/$bunfs/";

export function isCompiled(): boolean {
  return Bun.main.startsWith(COMPILED_ROOT);
}

/**
 * The environment with what `.env` in `directory` adds. The `.env` in HOST_DIR is the composer's: its
 * names mean something else, so an executable that was put there by hand has no `.env` of its own.
 */
export async function loadEnvironment(real: Environment, directory: string): Promise<Environment> {
  const text = await readTextFile(join(directory, ".env"));
  if (text === undefined) return real;
  const merged = { ...parseEnvFile(text), ...withoutBlanks(real) };
  return merged["HOST_DIR"] === directory ? real : merged;
}

/** helm renders an unset value as blank text: it must not hide what the file says. */
function withoutBlanks(real: Environment): Environment {
  return Object.fromEntries(Object.entries(real).filter(([, value]) => value?.trim() !== ""));
}

export function directoryOfExecutable(): string {
  return dirname(process.execPath);
}

/**
 * Puts the AWS_* variables that `.env` added into the real environment: the AWS SDK's credential chain
 * reads them there and nowhere else.
 */
export function shareAwsVariables(
  loaded: Environment,
  real: Record<string, string | undefined>,
): void {
  for (const [name, value] of Object.entries(loaded))
    if (name.startsWith("AWS_") && value !== undefined) real[name] = value;
}
