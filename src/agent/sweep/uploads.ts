// The agent's uploads while it runs: sweeps over dumps, one at a time, with their log lines and metrics, and behind them
// over modules.
import { AppError, describeError } from "../../model/app-error.ts";
import type { AgentSettings } from "../../config/agent-settings.ts";
import type { Log } from "../../host/log.ts";
import type { AgentMetrics } from "../metrics/agent-metrics.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { readDumpInfo } from "../../store/dump-labels.ts";
import type { KubernetesApi } from "../kubernetes/kubernetes-api.ts";
import { postEvent } from "../kubernetes/kubernetes-event.ts";
import { openNotifier, type Notifier } from "../notify/notifier.ts";
import { sweepFolder } from "./sweep.ts";
import { openSweeper } from "./sweeper.ts";

/** The agent's uploads. */
export interface Uploads {
  request(reason: string): void;
  close(): Promise<void>;
}

/** What the uploads need. */
export interface UploadsContext {
  settings: AgentSettings;
  /** undefined outside Kubernetes. */
  kubernetes: KubernetesApi | undefined;
  metrics: AgentMetrics;
  log: Log;
  signal: AbortSignal;
}

/** Opens the uploads. Throws AppError "configuration" where the settings name no store. */
export async function openUploads(context: UploadsContext): Promise<Uploads> {
  const { settings, metrics, log, signal } = context;
  // Loads delivery only where it is used, because the store's client is most of the agent's memory.
  const { openDelivery } = await import("../delivery/delivery.ts");
  const { openModuleDelivery } = await import("../modules/module-delivery.ts");
  const delivery = openDelivery(settings, log);
  await describeStore(delivery, log);
  const notifier = openNotifier({
    settings,
    log,
    signal,
    onOutcome: (outcome) => metrics.notifications.add(1, { outcome }),
  });
  const counted = countDeliveries(delivery, metrics);
  const told = tellPeople(tellKubernetes(counted, context), notifier);
  const sweep = () => sweepFolder({ coreDir: settings.CORE_DIR, delivery: told, log, signal });
  const sweeper = openSweeper(sweep, { log, signal });
  const modules = openModuleDelivery({ settings, log, signal });
  const sweepModules = () => modules.sweep(() => sweeper.idle());
  const moduleSweeper = openSweeper(sweepModules, { log, signal });
  return {
    request(reason) {
      sweeper.request(reason);
      moduleSweeper.request(`${reason}, modules`);
    },
    close: async () => {
      await Promise.all([sweeper.idle(), moduleSweeper.idle()]);
      await notifier?.idle();
      notifier?.close();
      delivery.close();
      modules.close();
    },
  };
}

async function describeStore(delivery: Delivery, log: Log): Promise<void> {
  try {
    log.info("store", { store: await delivery.describe() });
  } catch (error) {
    if (error instanceof AppError && error.code === "configuration") throw error;
    log.error("store_unavailable", { error: describeError(error) });
  }
}

function countDeliveries(delivery: Delivery, metrics: AgentMetrics): Delivery {
  return {
    ...delivery,
    deliver: async (path, signal, options) => {
      const outcome = await delivery.deliver(path, signal, options);
      metrics.deliveries.add(1, { outcome: outcome.kind });
      if (outcome.kind === "delivered") {
        metrics.deliveredBytes.add(outcome.sizeBytes);
        metrics.lastDelivery.set(Math.floor(Date.now() / 1000));
      }
      return outcome;
    },
  };
}

/** With KUBERNETES_EVENTS, posts an Event about a delivered dump on its pod, and does not wait for the API server. */
function tellKubernetes(
  delivery: Delivery,
  { settings, kubernetes, log }: UploadsContext,
): Delivery {
  if (kubernetes === undefined || !settings.KUBERNETES_EVENTS) return delivery;
  return {
    ...delivery,
    deliver: async (path, signal, options) => {
      // Reads the facts now, because delivery deletes the file.
      const facts = await readDumpInfo(path).catch(() => ({}));
      const outcome = await delivery.deliver(path, signal, options);
      if (outcome.kind === "delivered") void postEvent(kubernetes, facts, outcome.key, log);
      return outcome;
    },
  };
}

/** With NOTIFY_URL, tells people of a delivered dump, and does not wait for that. */
function tellPeople(delivery: Delivery, notifier: Notifier | undefined): Delivery {
  if (notifier === undefined) return delivery;
  return {
    ...delivery,
    deliver: async (path, signal, options) => {
      const info = await readDumpInfo(path).catch(() => ({}));
      const outcome = await delivery.deliver(path, signal, options);
      if (outcome.kind === "delivered") notifier.offer(info, outcome.key);
      return outcome;
    },
  };
}
