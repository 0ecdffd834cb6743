// The composer's settings: HOST_DIR/.env. A bad or missing one never costs a core: defaults, and a complaint.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readComposerSettings, type ComposerSettings } from "../config/composer-settings.ts";
import { parseEnvFile } from "../config/env-file.ts";
import { describeComplaint } from "../config/setting.ts";
import { describeError } from "../model/app-error.ts";
import type { ComposerCommandLine } from "./command-line.ts";

export interface Environment {
  /** Where the executable, `.env` and composer.log are. */
  hostDir: string;
  settings: ComposerSettings;
  /** Where the dump goes: CORE_DIR, else -d (below HOST_DIR if relative), else HOST_DIR/cores. */
  coreDir: string;
  /** What was wrong with `.env` or the command line, one line each. */
  complaints: string[];
}

export function readEnvironment(hostDir: string, commandLine: ComposerCommandLine): Environment {
  const complaints = [...commandLine.complaints];
  const source = readSource(join(hostDir, ".env"), complaints);
  const read = readComposerSettings(source);
  complaints.push(...read.complaints.map(describeComplaint));
  const settings: ComposerSettings = {
    ...read.settings,
    TIMEOUT: commandLine.timeoutSeconds || read.settings.TIMEOUT,
    COMPRESSION: read.settings.COMPRESSION && !commandLine.disableCompression,
  };
  const coreDir = settings.CORE_DIR || resolve(hostDir, commandLine.coreDir || "cores");
  return { hostDir, settings, coreDir, complaints };
}

function readSource(path: string, complaints: string[]): Record<string, string> {
  try {
    return parseEnvFile(readFileSync(path, "utf8"));
  } catch (error) {
    complaints.push(`no settings: ${describeError(error)}`);
    return {};
  }
}
