// Turns SIGTERM (from Kubernetes) and SIGINT (from a terminal) into an AbortSignal.
import type { Log } from "./log.ts";
import { untilAborted } from "./timer.ts";

/** Returns a signal that aborts at the first SIGTERM or SIGINT, which it logs. */
export function stopSignal(log: Log): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      log.info("stopping", { signal: name });
      controller.abort();
    });
  }
  return controller.signal;
}

/** Keeps the process alive until the signal is aborted, and settles then. */
export async function stayUntilAborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => {}, 3_600_000);
  await untilAborted(signal);
  clearInterval(alive);
}
