// Runs one sweep at a time. Requests during a sweep lead to one more sweep afterwards, however many there were.
import { describeError } from "../../model/app-error.ts";
import type { Log } from "../../host/log.ts";
import type { SweepReport } from "./sweep.ts";

/** Runs sweeps on request. */
export interface Sweeper {
  /** Requests a sweep; `reason` goes to the log. */
  request(reason: string): void;
  /** Settles when no sweep runs and none is requested. */
  idle(): Promise<void>;
}

/** The shortest wait after a failure, in ms, so that a clock that was set back cannot make the sweeper spin. */
const RETRY_MIN_MS = 250;
/** setTimeout's longest (2^31 - 1 ms, 24 days). */
const TIMER_MAX_MS = 2_147_483_647;

/** Opens a sweeper, which waits for its first request. */
export function openSweeper(
  sweep: () => Promise<SweepReport>,
  { log, signal }: { log: Log; signal: AbortSignal },
): Sweeper {
  let wanted: string | undefined;
  let running: Promise<void> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => clearTimeout(retry));

  function request(reason: string): void {
    if (signal.aborted) return;
    wanted = reason;
    running ??= run().finally(() => {
      running = undefined;
    });
  }

  async function run(): Promise<void> {
    while (wanted !== undefined && !signal.aborted) {
      const reason = wanted;
      wanted = undefined;
      clearTimeout(retry);
      try {
        const report = await sweep();
        logReport(log, reason, report);
        retryLater(report.nextRetryMs);
      } catch (error) {
        log.error("sweep_failed", { reason, error: describeError(error) });
        retryLater(Date.now() + 60_000);
      }
    }
  }

  /** Sweeps again when a failed dump is due, without waiting for the next trigger. */
  function retryLater(atMs: number | undefined): void {
    if (atMs === undefined || signal.aborted) return;
    const delayMs = Math.min(Math.max(atMs - Date.now(), RETRY_MIN_MS), TIMER_MAX_MS);
    retry = setTimeout(() => request("retry"), delayMs);
  }

  return { request, idle: async () => running };
}

function logReport(log: Log, reason: string, report: SweepReport): void {
  const { delivered, busy, waiting, failed } = report;
  const fields = { reason, delivered, busy, waiting, failed };
  if (delivered + failed > 0) log.info("sweep_done", fields);
  else log.debug("sweep_done", fields);
}
