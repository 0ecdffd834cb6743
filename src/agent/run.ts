// The commands of a host: reads each one's settings and runs it. Each returns the exit code and throws AppError; its
// page of help explains it (src/command/host-commands.ts).
import { AppError, EXIT } from "../model/app-error.ts";
import { hostDirOf } from "../model/core-pattern.ts";
import { CORE_PATTERN } from "../model/sysctls.ts";
import { oneLine } from "../model/printable.ts";
import { VERSION } from "../model/version.ts";
import {
  agentVariables,
  formerVariables,
  readAgentSettings,
  readHostSettings,
  type AgentSettings,
  type HostSettings,
} from "../config/agent-settings.ts";
import { readSysctl } from "../host/sysctl.ts";
import { openLog, type Log } from "../host/log.ts";
import { runAgent } from "./agent.ts";
import { installCapture } from "./capture/choice.ts";
import { isCompiled, type ProcessEnvironment } from "../host/process-environment.ts";
import { adaptToHost } from "./install/host-settings.ts";
import { HOST_PLACES } from "./vm/places.ts";
import { isVmInstalled, removeFromVm, stopOnVm } from "./vm/remove-service.ts";
import { isSystemdHost, SYSTEMD } from "./vm/systemd.ts";
import { findKubernetes, openKubernetesApi } from "./kubernetes/kubernetes-api.ts";
import { remove } from "./install/remove.ts";
import { stopSignal, stayUntilAborted } from "../host/stop-signal.ts";
import { sweepFile, sweepFolder, tellForeignFiles, type SweepReport } from "./sweep/sweep.ts";
import { findUninstall } from "./kubernetes/uninstall.ts";
import { findUnknownVariables } from "../config/unknown-variables.ts";

/** Runs the agent: installs, then delivers until the signal. */
export async function runAgentHere(environment: ProcessEnvironment): Promise<number> {
  const settings = await adaptToHost(readAgentSettings(environment), environment);
  const log = openLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  requireCompiled();
  const known = [...agentVariables(), ...formerVariables()];
  for (const variable of findUnknownVariables(environment, known))
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

/** Runs `apply`, as the early unit does at every boot: installs what a crash needs and ends. */
export async function runApply(environment: ProcessEnvironment): Promise<number> {
  requireCompiled();
  const settings = await adaptToHost(readAgentSettings(environment), environment);
  const log = openLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  await installCapture({ settings, executable: process.execPath, log });
  return EXIT.done;
}

/** Runs `install` on a plain host, with the settings in a file. */
export async function runInstall(configPath: string): Promise<number> {
  requireCompiled();
  const log = openLog({ level: "Info", format: "text" });
  const { installOnVm } = await import("./vm/install-service.ts");
  const systemd = (await isSystemdHost()) ? SYSTEMD : undefined;
  const places = HOST_PLACES;
  const apply = async (settings: AgentSettings, executable: string, config: ProcessEnvironment) =>
    installCapture({ settings: await adaptToHost(settings, config), executable, log });
  const request = { configPath, executable: process.execPath, places, systemd, apply, log };
  const command = await installOnVm(request);
  process.stdout.write(
    `installed; what to type next:\n` +
      `  sudo ${command} doctor      # lets a program crash and follows its dump\n` +
      `  sudo ${command} list        # the dumps that wait here; list --store: those delivered\n` +
      `  sudo ${command} remove      # restores the kernel's settings and deletes all of it\n`,
  );
  return EXIT.done;
}

function requireCompiled(): void {
  if (isCompiled()) return;
  throw new AppError("usage", "the executable installs itself, and this one is not compiled", {
    hint: "bun run build makes dist/core-dump-handler-linux-*",
  });
}

/** Runs `doctor`; prints a table, or JSON. */
export async function runDoctorHere(
  json: boolean,
  environment: ProcessEnvironment,
): Promise<number> {
  const settings = await adaptToHost(readAgentSettings(environment), environment);
  const signal = stopSignal(openLog({ level: "Error", format: settings.LOG_FORMAT }));
  const { runDoctor } = await import("./doctor/doctor.ts");
  return runDoctor({ settings, json, noColor: environment["NO_COLOR"], signal });
}

/** How much longer than the longest dump the test waits, in ms. */
const CRASH_TEST_SLACK_MS = 60_000;

/** Runs `crash-test`; with `victim` it is the child that crashes. */
export async function runCrashTestHere(
  victim: boolean,
  environment: ProcessEnvironment,
): Promise<number> {
  const { crashSelf, runCrashTest } = await import("./canary/crash-test.ts");
  if (victim) return crashSelf();
  const settings = readAgentSettings(environment);
  const log = openLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  const timeoutMs = settings.composer.TIMEOUT * 1000 + CRASH_TEST_SLACK_MS;
  await runCrashTest({ settings, timeoutMs, log });
  return EXIT.done;
}

/** Runs `sweep`: delivers all finished dumps, or one. */
export async function runSweep(
  file: string | undefined,
  environment: ProcessEnvironment,
): Promise<number> {
  const settings = readAgentSettings(environment);
  const log = openLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  const signal = stopSignal(log);
  const { openDelivery } = await import("./delivery/delivery.ts");
  const delivery = openDelivery(settings, log);
  const context = { coreDir: settings.CORE_DIR, delivery, log, signal, ignoreBackoff: true };
  const report = await (file === undefined ? sweepFolder(context) : sweepFile(file, context));
  if (file === undefined) await tellForeignFiles(settings.CORE_DIR, log);
  logSweep(log, report);
  const { failed } = file === undefined ? await sweepModules(settings, log, signal) : { failed: 0 };
  const isWhole = report.failed + report.waiting + failed === 0 && !signal.aborted;
  return isWhole ? EXIT.done : EXIT.failed;
}

/** Delivers the modules that wait; dumps went first. */
async function sweepModules(settings: AgentSettings, log: Log, signal: AbortSignal) {
  const { openModuleDelivery } = await import("./modules/module-delivery.ts");
  const modules = openModuleDelivery({ settings, log, signal });
  const report = await modules.sweep(() => Promise.resolve());
  modules.close();
  return report;
}

/** Runs `modules add`: stores what a build pipeline ships. Returns 1 where a file could not be stored. */
export async function runAddModules(
  paths: readonly string[],
  environment: ProcessEnvironment,
): Promise<number> {
  const settings = readAgentSettings(environment);
  const log = openLog({ level: "Error", format: settings.LOG_FORMAT });
  const signal = stopSignal(log);
  const { openStoreReader, openStoreWriter } = await import("../store/open-store.ts");
  const { addModules } = await import("./modules/add-modules.ts");
  const [writer, reader] = [await openStoreWriter(settings), await openStoreReader(settings)];
  const store = { writer, reader, prefix: settings.STORE_MODULE_PREFIX, log, signal };
  let [count, failed] = [0, 0];
  for await (const { path, kind, what } of addModules(paths, store)) {
    if (kind === "failed" || kind === "skipped") failed++;
    else count++;
    const note = kind === "beside" ? " (another file of this build id was there first)" : "";
    const line = oneLine(`${kind.padEnd(8)}${path}  ${what}${note}`);
    (kind === "failed" ? process.stderr : process.stdout).write(`${line}\n`);
  }
  writer.close();
  reader.close();
  if (count + failed === 0)
    throw new AppError("usage", `no program, library or debug information in ${paths.join(" ")}`);
  return failed > 0 ? EXIT.failed : EXIT.done;
}

function logSweep(log: Log, { delivered, busy, waiting, failed }: SweepReport): void {
  log.info("sweep_done", { reason: "command", delivered, busy, waiting, failed });
}

/** Waits until the clean-up after an uninstall is done on every node. */
export async function runAwaitRemoval(
  { daemonSet, withinMs }: { daemonSet: string; withinMs: number },
  environment: ProcessEnvironment,
): Promise<number> {
  const { LOG_LEVEL, LOG_FORMAT, POD_NAMESPACE } = readHostSettings(environment);
  const log = openLog({ level: LOG_LEVEL, format: LOG_FORMAT });
  const access = findKubernetes(environment);
  if (access === undefined) throw new AppError("usage", "await-removal is for a pod of a cluster");
  const { awaitRemoval } = await import("./kubernetes/await-removal.ts");
  const api = openKubernetesApi(access);
  await awaitRemoval({ namespace: POD_NAMESPACE, daemonSet, withinMs, api, log });
  return EXIT.done;
}

/**
 * When `remove` acts. uninstalled: only if the product is being uninstalled, which a preStop hook asks once. behind:
 * the chart's clean-up asks until it knows.
 */
export type RemoveWhen = "now" | "uninstalled" | "behind";

/** Runs `remove`. */
export async function runRemove(
  { when, stay }: { when: RemoveWhen; stay: boolean },
  environment: ProcessEnvironment,
): Promise<number> {
  const settings = readHostSettings(environment);
  const log = openLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT });
  const access = findKubernetes(environment);
  const api = access === undefined ? undefined : openKubernetesApi(access);
  if (when === "behind") {
    if (api === undefined) throw new AppError("usage", "--behind-uninstall is for a pod");
    const signal = stopSignal(log);
    const { cleanUp } = await import("./install/clean-up.ts");
    await cleanUp({ settings, api, log, signal });
    if (stay) await stayUntilAborted(signal);
    return EXIT.done;
  }
  if (when === "uninstalled") {
    const { uninstalled, because } = await findUninstall(settings, api);
    log.info(uninstalled ? "uninstalling" : "staying_installed", { because });
    if (!uninstalled) return EXIT.done;
  }
  if (settings.POD_NAMESPACE !== "" || !(await isVmInstalled(HOST_PLACES))) {
    await remove(settings, log);
  } else {
    const systemd = (await isSystemdHost()) ? SYSTEMD : undefined;
    await stopOnVm(systemd);
    await remove(settings, log);
    await removeFromVm(HOST_PLACES, systemd, log);
  }
  if (when === "now") await requireRestored(settings);
  return EXIT.done;
}

/** Throws AppError "host" where core_pattern names an install in another folder, which this removal left alone. */
async function requireRestored({ HOST_DIR, PROC_ROOT }: HostSettings): Promise<void> {
  const left = hostDirOf(await readSysctl(PROC_ROOT, CORE_PATTERN));
  if (left === undefined) return;
  throw new AppError("host", `core_pattern still starts what is installed in ${left}`, {
    hint: `this removal looked at HOST_DIR ${HOST_DIR}; HOST_DIR=${left} core-dump-handler remove`,
  });
}
