// What CORE_DIR needs from time to time, uploads or not: dumps of killed composers sealed, limits held.
import type { AgentSettings } from "../config/agent-settings.ts";
import type { Log } from "../host/log.ts";
import type { AgentMetrics } from "./agent-metrics.ts";
import { pollUntil } from "./poll.ts";
import { openRecovery } from "./recovery/recover.ts";
import { pause } from "./timer.ts";

export interface HousekeepingContext {
  settings: AgentSettings;
  metrics: AgentMetrics;
  log: Log;
  signal: AbortSignal;
  /** Asks for a sweep: there is something new to deliver. */
  request: (reason: string) => void;
}

export interface Housekeeping {
  /** Once, now. */
  runNow(): Promise<void>;
  /** Again and again; settles after the signal. */
  untilStopped(): Promise<void>;
}

const EVERY_MS = 10_000;

export function openHousekeeping({
  settings,
  metrics,
  log,
  signal,
  request,
}: HousekeepingContext): Housekeeping {
  const recovery = openRecovery(settings.CORE_DIR, log);

  async function runNow(): Promise<void> {
    const recovered = await recovery.run();
    if (recovered === 0) return;
    metrics.recovered.add(recovered);
    request("recovered");
  }

  async function untilStopped(): Promise<void> {
    await pause(EVERY_MS, signal);
    await pollUntil(signal, EVERY_MS, "housekeeping", log, runNow);
  }

  return { runNow, untilStopped };
}
