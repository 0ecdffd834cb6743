// The agent's commands: each one read, given its settings, and run. Nothing is decided here.
import { AppError, EXIT } from "../model/app-error.ts";
import { VERSION } from "../model/version.ts";
import {
  agentVariables,
  readAgentSettings,
  readRemovalSettings,
  type AgentSettings,
} from "../config/agent-settings.ts";
import { openLog, type Log } from "../host/log.ts";
import { runAgent } from "./agent.ts";
import { installCapture } from "./capture/choice.ts";
import { parseAgentCommand, type AgentCommand } from "../command/command-line.ts";
import {
  directoryOfExecutable,
  isCompiled,
  loadEnvironment,
  shareAwsVariables,
  type Environment,
} from "../host/environment.ts";
import { helpFor } from "../command/help-pages.ts";
import { completionFor } from "../command/completion.ts";
import { adaptToHost } from "./install/host-settings.ts";
import { HOST_PLACES } from "./vm/places.ts";
import { isVmInstalled, removeFromVm, stopOnVm } from "./vm/remove-service.ts";
import { isSystemdHost, SYSTEMD } from "./vm/systemd.ts";
import { findKubernetes, openKubernetesApi } from "./kubernetes/kubernetes-api.ts";
import { remove } from "./install/remove.ts";
import { stopSignal, untilAborted } from "../host/stop-signal.ts";
import { sweepFile, sweepFolder, type SweepReport } from "./sweep/sweep.ts";
import { findUninstall } from "./kubernetes/uninstall.ts";
import { findUnknownVariables } from "../config/unknown-variables.ts";

/** Runs one command; the exit code. Throws AppError. */
export async function runAgentCommand(
  args: readonly string[],
  realEnvironment: Record<string, string | undefined>,
): Promise<number> {
  const command = parseAgentCommand(args);
  if (command.name === "help") return print(helpFor(command.topic));
  if (command.name === "completion") return print(completionFor(command.shell));
  if (command.name === "version") return print(`core-dump-handler ${VERSION}\n`);
  const environment = await loadEnvironment(realEnvironment, directoryOfExecutable());
  shareAwsVariables(environment, realEnvironment);
  if (command.name === "read") {
    const { runReading } = await import("../reading/run-reading.ts");
    return runReading(command.command, environment);
  }
  if (command.name === "install") return runInstall(command.configPath);
  if (command.name === "apply") return runApply(environment);
  if (command.name === "doctor") return runDoctorHere(command.json, environment);
  if (command.name === "crash-test") return runCrashTestHere(command.victim, environment);
  if (command.name === "sweep") return runSweep(command.file, environment);
  if (command.name === "remove") return runRemove(command, environment);
  if (command.name === "await-removal") return runAwaitRemoval(command, environment);
  return runAgentHere(environment);
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.done;
}

async function runAgentHere(environment: Environment): Promise<number> {
  const settings = await adaptToHost(readAgentSettings(environment), environment);
  const log = openLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  requireCompiled();
  for (const variable of findUnknownVariables(environment, agentVariables()))
    log.warn("unknown_setting", { variable });
  log.info("starting", {
    version: VERSION,
    host_dir: settings.HOST_DIR,
    core_dir: settings.CORE_DIR,
  });
  const signal = stopSignal(log);
  const access = findKubernetes(environment);
  const kubernetes = access === undefined ? undefined : openKubernetesApi(access);
  await runAgent({ settings, executable: process.execPath, kubernetes, log, signal });
  return EXIT.done;
}

/** What the early unit does at every boot: all that a crash needs, without the agent's life after it. */
async function runApply(environment: Environment): Promise<number> {
  requireCompiled();
  const settings = await adaptToHost(readAgentSettings(environment), environment);
  const log = openLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  await installCapture({ settings, executable: process.execPath, log });
  return EXIT.done;
}

async function runInstall(configPath: string): Promise<number> {
  requireCompiled();
  const log = openLog({ level: "Info", format: "text" });
  const { installOnVm } = await import("./vm/install-service.ts");
  const systemd = (await isSystemdHost()) ? SYSTEMD : undefined;
  const places = HOST_PLACES;
  const apply = async (settings: AgentSettings, executable: string, config: Environment) =>
    installCapture({ settings: await adaptToHost(settings, config), executable, log });
  await installOnVm({ configPath, executable: process.execPath, places, systemd, apply, log });
  return EXIT.done;
}

function requireCompiled(): void {
  if (isCompiled()) return;
  throw new AppError("usage", "the executable installs itself, and this one is not compiled", {
    hint: "bun run build makes dist/core-dump-handler-linux-*",
  });
}

async function runDoctorHere(json: boolean, environment: Environment): Promise<number> {
  const settings = await adaptToHost(readAgentSettings(environment), environment);
  const signal = stopSignal(openLog({ level: "Error", format: settings.LOG_FORMAT }));
  const { runDoctor } = await import("./doctor/doctor.ts");
  return runDoctor({ settings, json, noColor: environment["NO_COLOR"], signal });
}

/** A minute more than the longest time that a dump may take. */
const CRASH_TEST_SLACK_MS = 60_000;

async function runCrashTestHere(victim: boolean, environment: Environment): Promise<number> {
  const { crashSelf, runCrashTest } = await import("./canary/crash-test.ts");
  if (victim) return crashSelf();
  const settings = readAgentSettings(environment);
  const log = openLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  const timeoutMs = settings.composer.TIMEOUT * 1000 + CRASH_TEST_SLACK_MS;
  await runCrashTest({ settings, timeoutMs, log });
  return EXIT.done;
}

async function runSweep(file: string | undefined, environment: Environment): Promise<number> {
  const settings = readAgentSettings(environment);
  const log = openLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  const signal = stopSignal(log);
  const { openDelivery } = await import("./delivery/delivery.ts");
  const delivery = openDelivery(settings, log);
  const context = { coreDir: settings.CORE_DIR, delivery, log, signal, ignoreBackoff: true };
  const report = await (file === undefined ? sweepFolder(context) : sweepFile(file, context));
  logSweep(log, report);
  return report.failed + report.waiting > 0 || signal.aborted ? EXIT.failed : EXIT.done;
}

function logSweep(log: Log, { delivered, busy, waiting, failed }: SweepReport): void {
  log.info("sweep_done", { reason: "command", delivered, busy, waiting, failed });
}

async function runAwaitRemoval(
  { daemonSet, withinMs }: Extract<AgentCommand, { name: "await-removal" }>,
  environment: Environment,
): Promise<number> {
  const { LOG_LEVEL, LOG_FORMAT, POD_NAMESPACE } = readRemovalSettings(environment);
  const log = openLog({ level: LOG_LEVEL, format: LOG_FORMAT });
  const access = findKubernetes(environment);
  if (access === undefined) throw new AppError("usage", "await-removal is for a pod of a cluster");
  const { awaitRemoval } = await import("./kubernetes/await-removal.ts");
  const api = openKubernetesApi(access);
  await awaitRemoval({ namespace: POD_NAMESPACE, daemonSet, withinMs, api, log });
  return EXIT.done;
}

async function runRemove(
  { when, stay }: Extract<AgentCommand, { name: "remove" }>,
  environment: Environment,
): Promise<number> {
  const settings = readRemovalSettings(environment);
  const log = openLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  const access = findKubernetes(environment);
  const api = access === undefined ? undefined : openKubernetesApi(access);
  if (when === "behind") {
    if (api === undefined) throw new AppError("usage", "--behind-uninstall is for a pod");
    const signal = stopSignal(log);
    const { cleanUp } = await import("./install/clean-up.ts");
    await cleanUp({ settings, api, log, signal });
    if (stay) await untilAborted(signal);
    return EXIT.done;
  }
  if (when === "uninstalled") {
    const { uninstalled, because } = await findUninstall(settings, api);
    log.info(uninstalled ? "uninstalling" : "staying_installed", { because });
    if (!uninstalled) return EXIT.done;
  }
  if (settings.POD_NAMESPACE !== "" || !(await isVmInstalled(HOST_PLACES))) {
    await remove(settings, log);
    return EXIT.done;
  }
  const systemd = (await isSystemdHost()) ? SYSTEMD : undefined;
  await stopOnVm(systemd);
  await remove(
    readRemovalSettings(await loadEnvironment(environment, HOST_PLACES.programDir)),
    log,
  );
  await removeFromVm(HOST_PLACES, systemd, log);
  return EXIT.done;
}
