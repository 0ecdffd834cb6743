// The chart's clean-up on a node after `helm uninstall` (chart/templates/cleanup.yaml): runs `remove` once the
// DaemonSet certainly no longer exists and its agent has left the node. If somebody applies the whole rendered chart,
// hooks included, this pod does nothing.
import { pause } from "../../host/timer.ts";
import { describeError } from "../../model/app-error.ts";
import type { Log } from "../../host/log.ts";
import { agentSilence, OWNER_SEEN_MS } from "./host-owner.ts";
import type { KubernetesApi } from "../kubernetes/kubernetes-api.ts";
import { remove, type RemovalSettings } from "./remove.ts";
import { askDaemonSet, type UninstallVerdict } from "../kubernetes/uninstall.ts";

/** What the clean-up needs. */
export interface CleanUpContext {
  settings: RemovalSettings;
  api: KubernetesApi;
  log: Log;
  signal: AbortSignal;
  everyMs?: number;
}

const EVERY_MS = 1_000;

/** Settles when the node is clean, when it must stay as it is, or at the signal. Throws what remove() throws. */
export async function cleanUp(context: CleanUpContext): Promise<void> {
  const { settings, log, signal, everyMs = EVERY_MS } = context;
  const verdict = await untilKnown(context, everyMs);
  if (verdict === "there") log.warn("staying_installed", { because: "the DaemonSet is there" });
  if (verdict === "there" || verdict === undefined) return;
  log.info("uninstalling", { because: verdict.because });
  // The DaemonSet's last pod may still be ending and running its own `remove`.
  while ((await agentSilence(settings)) < OWNER_SEEN_MS && !signal.aborted)
    await pause(everyMs, signal);
  if (!signal.aborted) await remove(settings, log);
}

/** Repeats the question while the pod lacks the right or the API server does not answer. */
async function untilKnown(
  { settings, api, log, signal }: CleanUpContext,
  everyMs: number,
): Promise<UninstallVerdict | "there" | undefined> {
  let told = "";
  while (!signal.aborted) {
    const verdict = await askDaemonSet(settings, api).catch((error: unknown) => ({
      uninstalled: false,
      because: describeError(error),
    }));
    if (verdict === "there" || verdict.uninstalled) return verdict;
    if (verdict.because !== told) log.warn("uninstall_unknown", { because: verdict.because });
    told = verdict.because;
    await pause(everyMs, signal);
  }
  return undefined;
}
