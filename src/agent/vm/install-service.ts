// `core-dump-handler install --config FILE`: installs the program and its units on a plain host and starts them.
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { readAgentSettings, type AgentSettings } from "../../config/agent-settings.ts";
import { parseEnvFile } from "../../model/env-file.ts";
import { ensureDirectory } from "../../host/directories.ts";
import {
  copyFileAtomically,
  exists,
  readTextFile,
  sameContent,
  writeFileAtomically,
} from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { AppError } from "../../model/app-error.ts";
import { readSysctl } from "../../host/sysctl.ts";
import { handlerName, isPipePattern } from "../../model/core-handler.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { isOurPattern } from "../../model/core-pattern.ts";
import { CORE_PATTERN } from "../../model/sysctls.ts";
import type { ProcessEnvironment } from "../../host/process-environment.ts";
import { makeCommandLink } from "./command-link.ts";
import { checkBeforeInstall } from "./install-checks.ts";
import { PROGRAM_NAME, type ServicePlaces } from "./places.ts";
import type { Systemd } from "./systemd.ts";
import { planUnits } from "./units.ts";

/** What to install, and where. */
export interface VmInstall {
  /** The file with the agent's variables as KEY=value lines. */
  configPath: string;
  /** This program's executable. */
  executable: string;
  places: ServicePlaces;
  /** undefined where systemd does not run this host; the files are installed nevertheless. */
  systemd: Systemd | undefined;
  /** Runs `apply` with the program that is installed by then. Returns the capture mode. */
  apply: (
    settings: AgentSettings,
    program: string,
    config: ProcessEnvironment,
  ) => Promise<CaptureMode>;
  /** Refuses what would fail later; checkBeforeInstall() where it is not set. */
  check?: typeof checkBeforeInstall;
  log: Log;
}

/**
 * Installs; can be run again, also with another configuration. Returns the name by which the program can be typed.
 * Throws AppError "usage", "configuration" or "host".
 */
export async function installOnVm(install: VmInstall): Promise<string> {
  const { configPath, executable, places, systemd, apply, log } = install;
  const check = install.check ?? checkBeforeInstall;
  const text = await readTextFile(resolve(configPath));
  if (text === undefined)
    throw new AppError("usage", `there is no ${configPath}`, {
      hint: "a file of KEY=value lines; docs/vm.md has one to start from",
    });
  // Reports all wrong settings before it changes anything.
  const config = parseEnvFile(text);
  const settings = readAgentSettings(config);
  if (settings.HOST_DIR === places.programDir)
    throw new AppError("configuration", `HOST_DIR must not be ${places.programDir} itself`, {
      hint: "the composer has a .env of its own in HOST_DIR",
    });
  await check(config, settings);
  const present = await readSysctl(settings.PROC_ROOT, CORE_PATTERN);
  if (isPipePattern(present) && !isOurPattern(present, settings.HOST_DIR))
    log.info("previous_handler_found", {
      name: handlerName(present),
      pattern: present,
      chained: settings.PREVIOUS_HANDLER === "chain",
    });

  await installProgram(executable, text, places);
  const program = join(places.programDir, PROGRAM_NAME);
  // Runs before the units, because their sandboxes need existing folders, and so that errors appear here.
  const mode = await apply(settings, program, config);
  const command = (await makeCommandLink(places)) ? PROGRAM_NAME : program;
  if (systemd === undefined) {
    log.warn("no_systemd", { hint: `start ${program} agent at every boot by your own means` });
    return command;
  }
  const units = planUnits({ program, settings, mode });
  for (const [name, unit] of Object.entries(units))
    await writeFileAtomically(join(places.unitDir, name), unit, 0o644);
  await systemd.reload();
  await systemd.enableNow(Object.keys(units));
  log.info("vm_installed", {
    program,
    units: places.unitDir,
    config: join(places.programDir, ".env"),
  });
  return command;
}

/**
 * Installs the executable, the builds beside it, and the configuration as `.env` with mode 0600, because it may hold
 * secrets.
 */
async function installProgram(executable: string, config: string, { programDir }: ServicePlaces) {
  await ensureDirectory(programDir, 0o755);
  const target = join(programDir, PROGRAM_NAME);
  if (!(await isSameFile(executable, target)) && !(await sameContent(executable, target)))
    await copyFileAtomically(executable, target, 0o755);
  await writeFileAtomically(join(programDir, ".env"), config);
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  if (!(await exists(other))) return false;
  const [a, b] = [await stat(one), await stat(other)];
  return a.dev === b.dev && a.ino === b.ino && basename(other) === PROGRAM_NAME;
}
