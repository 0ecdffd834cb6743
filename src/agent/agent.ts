// The agent's life: install, then upload what is finished until told to stop. The kernel's settings and the
// composer stay when it ends: the next crash is caught while a pod restarts (see remove.ts for the end of that).
import type { AgentSettings } from "../config/agent-settings.ts";
import type { Log } from "../host/log.ts";
import { install } from "./install.ts";
import { sweepFolder } from "./sweep.ts";
import { openSweeper } from "./sweeper.ts";
import { startTriggers, uploadsAreOn } from "./triggers.ts";

export interface AgentContext {
  settings: AgentSettings;
  /** Our own executable, the source of HOST_DIR/cdc. */
  executable: string;
  log: Log;
  /** Aborted by SIGTERM and SIGINT. */
  signal: AbortSignal;
}

/** Ends when the signal is aborted and the upload under way has been left in good order. */
export async function runAgent({ settings, executable, log, signal }: AgentContext): Promise<void> {
  await install({ settings, executable, log });
  const stopped = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => stopped.resolve(), { once: true });
  if (signal.aborted) return;

  if (uploadsAreOn(settings)) {
    // Loaded only where it is used: the store's client is most of the agent's memory.
    const { openDelivery } = await import("./delivery/delivery.ts");
    const delivery = openDelivery(settings, log);
    const sweeper = openSweeper(
      () => sweepFolder({ coreDir: settings.CORE_DIR, delivery, log, signal }),
      { log, signal },
    );
    startTriggers({ settings, log, signal, request: (reason) => sweeper.request(reason) });
    sweeper.request("start");
    await stopped.promise;
    await sweeper.idle();
  } else {
    startTriggers({ settings, log, signal, request: () => {} });
    // Nothing of ours is pending, and an event loop with nothing to do ends the program.
    const awake = setInterval(() => {}, 3_600_000);
    await stopped.promise;
    clearInterval(awake);
  }
  log.info("stopped");
}
