// SIGTERM (Kubernetes) and SIGINT (a terminal) as an AbortSignal.
import type { Log } from "./log.ts";
import { untilAborted } from "./timer.ts";

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

/** Settles when the signal is aborted; until then it keeps the process alive. */
export async function stayUntilAborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => {}, 3_600_000);
  await untilAborted(signal);
  clearInterval(alive);
}
