// The agent's life: installs, then delivers finished dumps until a signal. The kernel's settings and the composer stay
// when it ends, so that crashes are caught while a pod restarts; install/remove.ts takes them away.
import type { AgentSettings } from "../config/agent-settings.ts";
import type { Log } from "../host/log.ts";
import { CAPTURE_MODES } from "../model/capture-mode.ts";
import { openAgentMetrics, type AgentMetrics } from "./metrics/agent-metrics.ts";
import { installCapture, reinstallCapture } from "./capture/choice.ts";
import { openDoctorWatch } from "./doctor/watch.ts";
import { DumpsUnderWay } from "./observe/dumps-under-way.ts";
import { openHarvest } from "./harvest/harvest.ts";
import { lapseClaim } from "./install/host-owner.ts";
import { openHousekeeping } from "./recovery/housekeeping.ts";
import { startHttp } from "./observe/http.ts";
import type { KubernetesApi } from "./kubernetes/kubernetes-api.ts";
import { observe } from "./observe/observe.ts";
import { Readiness } from "./observe/readiness.ts";
import { uploadsAreOn } from "../config/schedule-settings.ts";
import { startTriggers } from "./sweep/triggers.ts";
import { noteDaemonSet } from "./kubernetes/uninstall.ts";
import { openUploads } from "./sweep/uploads.ts";

/** What the agent needs. */
export interface AgentContext {
  settings: AgentSettings;
  /** This program's executable, the source of HOST_DIR/cdc. */
  executable: string;
  /** undefined outside Kubernetes. */
  kubernetes: KubernetesApi | undefined;
  log: Log;
  /** Aborted by SIGTERM and SIGINT. */
  signal: AbortSignal;
}

/**
 * Runs until the signal is aborted and the work under way has ended in good order. Throws AppError where the install
 * fails or the settings name no store.
 */
export async function runAgent(context: AgentContext): Promise<void> {
  const { settings, log } = context;
  const place = { address: settings.HTTP_ADDRESS, port: settings.HTTP_PORT };
  const metrics = openAgentMetrics();
  const readiness = new Readiness();
  const health = {
    isStarting: () => readiness.isStarting(),
    notReady: () => readiness.reason(),
    metrics: () => metrics.registry.render(),
  };
  // Starts the HTTP server first, so that probes during the start wait instead of being refused.
  const server = place.port === 0 ? undefined : await startHttp(place, health, log);
  try {
    await runObserved(context, metrics, readiness);
  } finally {
    await server?.stop();
  }
  log.info("stopped");
}

async function runObserved(
  context: AgentContext,
  metrics: AgentMetrics,
  readiness: Readiness,
): Promise<void> {
  const { settings, executable, kubernetes, log, signal } = context;
  // Opens the store before the install, so that settings without a store end the program at once.
  const uploads = uploadsAreOn(settings) ? await openUploads({ ...context, metrics }) : undefined;
  const mode = await installCapture({ settings, executable, log });
  for (const each of CAPTURE_MODES) metrics.captureMode.set(each === mode ? 1 : 0, { mode: each });
  if (kubernetes !== undefined && settings.DAEMONSET_NAME !== "")
    await noteDaemonSet(settings, kubernetes, log);

  const request = (reason: string) => uploads?.request(reason);
  const underWay = new DumpsUnderWay();
  const housekeeping = openHousekeeping({ settings, metrics, underWay, log, signal, request });
  startTriggers({ settings, log, signal, request });
  request("start");
  const reinstall = async () => reinstallCapture({ settings, executable, log }, mode);
  const doctor = openDoctorWatch({ settings, metrics, log, signal });
  await Promise.all([
    housekeeping.untilStopped(),
    observe({ settings, mode, metrics, underWay, log, signal, doctor, readiness, reinstall }),
    doctor.untilWell(),
    ...(mode === "file" ? [openHarvest({ settings, metrics, log, signal, executable }).run()] : []),
  ]);
  await uploads?.close();
  await lapseClaim(settings);
}
