// Reads the composer's settings from HOST_DIR/.env. Where it is bad or missing, the composer uses defaults and records
// a complaint.
import { resolve } from "node:path";
import {
  coreDirOf,
  readComposerSettings,
  type ComposerSettings,
} from "../config/composer-settings.ts";
import { describeComplaint } from "../config/setting.ts";
import { readComposerEnv } from "../host/composer-env.ts";
import type { ComposerCommandLine } from "./command-line.ts";

/** What the composer knows before the core. */
export interface Environment {
  /** The folder of the executable, `.env` and composer.log. */
  hostDir: string;
  settings: ComposerSettings;
  /** The folder that the dump goes to. */
  coreDir: string;
  /** What was wrong with `.env` or the command line, one line each. */
  complaints: string[];
}

/**
 * Reads `.env` and combines it with the command line. A relative -d is below HOST_DIR in core_pattern, where the kernel
 * starts the composer in /, and below the working directory of whoever starts it by hand. Never throws.
 */
export async function readEnvironment(
  hostDir: string,
  commandLine: ComposerCommandLine,
  workingDirectory = currentDirectory(),
): Promise<Environment> {
  const complaints = [...commandLine.complaints];
  const { values, failure } = await readComposerEnv(hostDir);
  if (failure !== undefined) complaints.push(`no settings: ${failure}`);
  const read = readComposerSettings(values);
  complaints.push(...read.complaints.map(describeComplaint));
  const settings: ComposerSettings = {
    ...read.settings,
    TIMEOUT: commandLine.timeoutSeconds ?? read.settings.TIMEOUT,
    COMPRESSION: commandLine.disableCompression ? false : read.settings.COMPRESSION,
  };
  const byHand = workingDirectory !== "/" && (commandLine.coreDir ?? "") !== "";
  const given = byHand ? resolve(workingDirectory, commandLine.coreDir ?? "") : commandLine.coreDir;
  const coreDir = coreDirOf(hostDir, settings, given);
  return { hostDir, settings, coreDir, complaints };
}

/** Returns "/" for a directory that was removed. */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return "/";
  }
}
