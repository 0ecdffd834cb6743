// Waits until the chart's clean-up (chart/templates/cleanup.yaml) has run on every node. The pods of its DaemonSet are
// ready only after a successful `remove`. RBAC: `get` on that one DaemonSet.
import * as v from "valibot";
import type { Log } from "../../host/log.ts";
import { AppError, describeError } from "../../model/app-error.ts";
import type { KubernetesApi } from "./kubernetes-api.ts";

/** What to wait for. */
export interface AwaitedRemoval {
  namespace: string;
  /** The clean-up's DaemonSet, not the agent's. */
  daemonSet: string;
  withinMs: number;
  api: KubernetesApi;
  log: Log;
  everyMs?: number;
}

const EVERY_MS = 1_000;

/** Kubernetes omits numbers that are 0. */
const statusSchema = v.object({
  metadata: v.object({ generation: v.number() }),
  status: v.object({
    observedGeneration: v.optional(v.number(), 0),
    desiredNumberScheduled: v.optional(v.number(), 0),
    numberReady: v.optional(v.number(), 0),
  }),
});

/** Waits. Throws AppError "host" where a node was not cleaned in time. */
export async function awaitRemoval(context: AwaitedRemoval): Promise<void> {
  const { namespace, daemonSet, withinMs, api, log, everyMs = EVERY_MS } = context;
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/daemonsets/${encodeURIComponent(daemonSet)}`;
  let last = "nobody answered";
  for (const startedMs = performance.now(); performance.now() - startedMs < withinMs;) {
    const progress = await ask(api, path);
    if (typeof progress === "string") last = progress;
    else {
      const { ready, wanted } = progress;
      last = `${ready} of ${wanted} nodes are cleaned`;
      if (ready >= wanted) {
        log.info("nodes_cleaned", { nodes: ready });
        return;
      }
    }
    await Bun.sleep(everyMs);
  }
  throw new AppError("host", `not every node was cleaned in ${withinMs / 1000} s: ${last}`, {
    hint: "docs/operations.md (Removal) tells how to clean a node later",
  });
}

/** Returns how far the clean-up is, or why that is not known yet. */
async function ask(
  api: KubernetesApi,
  path: string,
): Promise<{ ready: number; wanted: number } | string> {
  try {
    const { status: code, body } = await api.get(path);
    const parsed = v.safeParse(statusSchema, body);
    if (code !== 200 || !parsed.success) return `the API server answered ${code}`;
    const { metadata, status } = parsed.output;
    if (status.observedGeneration < metadata.generation) return "no node was chosen yet";
    return { ready: status.numberReady, wanted: status.desiredNumberScheduled };
  } catch (error) {
    return describeError(error);
  }
}
