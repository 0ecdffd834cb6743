// Reads the composer's settings from HOST_DIR/.env. Where it is bad or missing, the composer uses defaults and records
// a complaint.
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

/** Reads `.env` and combines it with the command line. Never throws. */
export async function readEnvironment(
  hostDir: string,
  commandLine: ComposerCommandLine,
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
  const coreDir = coreDirOf(hostDir, settings, commandLine.coreDir);
  return { hostDir, settings, coreDir, complaints };
}
