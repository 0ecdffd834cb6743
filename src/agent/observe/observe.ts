// Starts everything that makes the agent visible: repeats composer.log, watches the kernel's log and settings,
// measures the backlog. Only wires. Each task runs until the signal, and none can stop the others.
import { describeError } from "../../model/app-error.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { Log } from "../../host/log.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import { openPatternGuard } from "../capture/pattern-guard.ts";
import { openComposerEvents } from "./composer-events.ts";
import { openComposerLogTail } from "./composer-log-tail.ts";
import type { DumpsUnderWay } from "./dumps-under-way.ts";
import type { DoctorWatch } from "../doctor/watch.ts";
import { openDriftWatch } from "../capture/drift.ts";
import { listFinishedDumps } from "../../host/core-dir.ts";
import { openKernelLog, type KernelLog } from "../../host/kernel-log.ts";
import { pollUntil } from "../../host/poll.ts";
import type { Readiness } from "./readiness.ts";

/** What the tasks need. */
export interface ObserverContext {
  settings: AgentSettings;
  /** The capture mode. */
  mode: CaptureMode;
  metrics: AgentMetrics;
  underWay: DumpsUnderWay;
  log: Log;
  signal: AbortSignal;
  doctor: Pick<DoctorWatch, "notReady">;
  /** Gets the reason why the pod is not ready. */
  readiness: Readiness;
  /** Installs everything again. */
  reinstall: () => Promise<void>;
}

const COMPOSER_LOG_MS = 1_000;
const KERNEL_LOG_MS = 5_000;
const DRIFT_MS = 15_000;
/**
 * How often the listener is checked, in ms: every crash is lost while core_pattern names a socket without a listener.
 */
const LISTENER_MS = 1_000;
const BACKLOG_MS = 15_000;

/** Runs the tasks. Settles after the signal. */
export async function observe(context: ObserverContext): Promise<void> {
  const { settings, mode, metrics, log, signal, doctor, readiness, reinstall } = context;
  const guard = openPatternGuard({ settings, metrics, log });
  const isWithdrawn = () => guard.isLost();
  const drift = openDriftWatch({ settings, metrics, log, isWithdrawn, reinstall });
  await Promise.all([
    followComposerLog(context),
    followKernelLog(context),
    pollUntil(signal, DRIFT_MS, "sysctl_check", log, async () => {
      const isOurs = await drift.check();
      const notOurs = isOurs ? undefined : "core_pattern is not ours";
      readiness.follow(() =>
        guard.isLost() ? "no listener answers" : (notOurs ?? doctor.notReady()),
      );
    }),
    ...(mode === "socket"
      ? [pollUntil(signal, LISTENER_MS, "listener_check", log, () => guard.check())]
      : []),
    pollUntil(signal, BACKLOG_MS, "backlog_check", log, () => measureBacklog(context)),
  ]);
}

async function followComposerLog({ settings, metrics, underWay, log, signal }: ObserverContext) {
  const tail = openComposerLogTail(settings.HOST_DIR);
  const events = openComposerEvents(log, metrics, underWay);
  const poll = async () => {
    if (!(await tail.poll((line) => events.take(line)))) log.warn("composer_log_gap");
  };
  await pollUntil(signal, COMPOSER_LOG_MS, "composer_log", log, poll);
}

async function followKernelLog({ settings, metrics, log, signal }: ObserverContext) {
  let kernelLog: KernelLog;
  try {
    kernelLog = openKernelLog(settings.HOST_DIR);
  } catch (error) {
    // A container may lack /dev/kmsg; everything else works.
    log.warn("kernel_log_unreadable", { error: describeError(error) });
    return;
  }
  metrics.kernelLogReadable.set(1);
  const poll = async () => {
    for (const { by, message } of await kernelLog.readLosses()) {
      if (by === "pipe limit") {
        metrics.pipeLimitDrops.add();
        log.warn("core_pipe_limit_drop", { message });
      } else {
        metrics.socketLost.add();
        log.error("socket_lost", { message });
      }
    }
  };
  await pollUntil(signal, KERNEL_LOG_MS, "kernel_log", log, poll);
  kernelLog.close();
}

async function measureBacklog({ settings, metrics }: ObserverContext): Promise<void> {
  const dumps = await listFinishedDumps(settings.CORE_DIR);
  const oldestMs = dumps[0]?.modifiedMs;
  metrics.backlogFiles.set(dumps.length);
  metrics.backlogBytes.set(dumps.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  metrics.backlogAge.set(oldestMs === undefined ? 0 : Math.max(0, (Date.now() - oldestMs) / 1000));
}
