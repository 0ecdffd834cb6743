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
