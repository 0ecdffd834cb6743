// SIGTERM (Kubernetes) and SIGINT (a terminal) as an AbortSignal.
import type { Log } from "./log.ts";

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

/** Settles once the signal is aborted; until then it keeps the process alive. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  const HOUR_MS = 3_600_000;
  const alive = setInterval(() => {}, HOUR_MS);
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (!signal.aborted) await promise;
  clearInterval(alive);
}
