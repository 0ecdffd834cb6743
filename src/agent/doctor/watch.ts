// Runs the doctor while the agent runs: at the start, again while something is wrong, and no more after that. The
// agent works meanwhile, logs what is wrong, and is not ready until all checks pass.
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { Log } from "../../host/log.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import { pause, untilAborted } from "../../host/timer.ts";
import type { Check } from "./check.ts";
import { CHECKS } from "./checks.ts";
import { examine } from "./examine.ts";
import type { Finding } from "./report.ts";

/** The running doctor. */
export interface DoctorWatch {
  /** Returns why the node is not ready; undefined when it is, or when the doctor is turned off. */
  notReady(): string | undefined;
  /** Settles when all checks pass, or at the signal. */
  untilWell(): Promise<void>;
}

/** What the watch needs. */
export interface DoctorWatchContext {
  settings: AgentSettings;
  metrics: Pick<AgentMetrics, "doctorChecks" | "doctorLastRun">;
  log: Log;
  signal: AbortSignal;
  checks?: readonly Check[];
}

/** The reason why the node is not ready before the doctor's first result. */
export const DOCTOR_AT_WORK = "the doctor is still at work";

const FIRST_PAUSE_MS = 60_000;
const PAUSE_MAX_MS = 600_000;

/** Opens the watch; untilWell() starts it. */
export function openDoctorWatch(context: DoctorWatchContext): DoctorWatch {
  const { settings, metrics, log, signal, checks = CHECKS } = context;
  let trouble: string | undefined = DOCTOR_AT_WORK;
  let told = "";

  async function look(): Promise<void> {
    const findings = await examine(checks, settings, signal);
    if (signal.aborted) return;
    for (const finding of findings)
      metrics.doctorChecks.set(valueOf(finding), { check: finding.name });
    metrics.doctorLastRun.set(Math.floor(Date.now() / 1000));
    const broken = findings.filter(({ status }) => status === "failed");
    const [first] = broken;
    // Anybody who reaches the port can read this text, so the findings (a store's address, a path) go only to the log.
    trouble =
      first === undefined ? undefined : `the doctor's check "${first.name}" failed: see the log`;
    // Does not log findings that have not changed.
    const text = findings.map(({ status, found }) => `${status} ${found}`).join();
    if (first === undefined || text !== told) tell(log, findings, broken.length);
    told = text;
  }

  async function work(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      await look();
      if (trouble === undefined || signal.aborted) return;
      await pause(pauseMs, signal);
    }
  }

  if (!settings.DOCTOR) return { notReady: () => undefined, untilWell: async () => {} };
  return {
    notReady: () => trouble,
    // Does not wait at the agent's end for a canary under way.
    untilWell: async () => Promise.race([work(), untilAborted(signal)]),
  };
}

function valueOf({ status }: Finding): number {
  return status === "failed" ? 0 : 1;
}

function tell(log: Log, findings: readonly Finding[], failures: number): void {
  for (const { name, status, found, evidence, remedy } of findings) {
    const fields = {
      check: name,
      found,
      ...(evidence === undefined ? {} : { evidence }),
      ...(remedy === undefined ? {} : { remedy }),
    };
    if (status === "failed") log.error("doctor_failed", fields);
    else if (status === "warning") log.warn("doctor_warning", fields);
    else log.debug("doctor_check", { ...fields, status });
  }
  log.info("doctor_done", { checks: findings.length, failed: failures });
}
