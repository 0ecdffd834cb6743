// Reads the composer's settings from HOST_DIR/.env. Where it is bad or missing, the composer uses defaults and records
// a complaint.
import { join } from "node:path";
import {
  coreDirOf,
  readComposerSettings,
  type ComposerSettings,
} from "../config/composer-settings.ts";
import { parseEnvFile } from "../model/env-file.ts";
import { describeComplaint } from "../config/setting.ts";
import { readBounded } from "../host/bounded-read.ts";
import { describeError } from "../model/app-error.ts";
import type { ComposerCommandLine } from "./command-line.ts";

/** The longest `.env` that is read; the agent's is below 2 KiB. */
const ENV_FILE_MAX_BYTES = 64 * 1024;

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
  const source = await readSource(join(hostDir, ".env"), complaints);
  const read = readComposerSettings(source);
  complaints.push(...read.complaints.map(describeComplaint));
  const settings: ComposerSettings = {
    ...read.settings,
    TIMEOUT: commandLine.timeoutSeconds ?? read.settings.TIMEOUT,
    COMPRESSION: read.settings.COMPRESSION && !commandLine.disableCompression,
  };
  const coreDir = coreDirOf(hostDir, settings, commandLine.coreDir);
  return { hostDir, settings, coreDir, complaints };
}

/** Reads a regular file of a sensible length; waits for no other kind of file and follows no link. */
async function readSource(path: string, complaints: string[]): Promise<Record<string, string>> {
  try {
    const { data, cut } = await readBounded(path, ENV_FILE_MAX_BYTES);
    if (cut) throw new Error(`${path} is longer than ${ENV_FILE_MAX_BYTES} bytes`);
    return parseEnvFile(new TextDecoder().decode(data));
  } catch (error) {
    complaints.push(`no settings: ${describeError(error)}`);
    return {};
  }
}
