// Is this pod ending because the product is being uninstalled, or because it is updated, evicted or moved?
// Only the first may take the composer off the host. The API server knows: the DaemonSet is gone, or it is going, or
// its namespace is going (since Kubernetes 1.33 pods go first, and the DaemonSet has no deletionTimestamp yet).
//
// A DaemonSet that another chart has taken over counts as going, too (handed-over.ts).
//
// A refusal alone proves nothing. 401 is what `helm uninstall` leads to, which deletes the ServiceAccount behind the
// DaemonSet, and what every pod gets after `kubectl delete pod --force`, as its token is bound to the pod; 403 is
// what a changed Role or an API server that has just started answers. The chart's clean-up (chart/templates/
// cleanup.yaml) comes behind a `helm uninstall` that a pod could not be sure of.
//
// RBAC: `get` on daemonsets.apps and on namespaces, in the own namespace, by these names. A Role is enough for the
// namespace itself: the API server takes GET /api/v1/namespaces/NAME as a request in that namespace.
import { join } from "node:path";
import * as v from "valibot";
import { describeError } from "../../model/app-error.ts";
import { readTextFile, removeFile, writeFileAtomically } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import type { KubernetesAnswer, KubernetesApi } from "./kubernetes-api.ts";
import { DAEMONSET_NOTE } from "../../model/host-file.ts";
import { isRightGone, runsAnotherProgram } from "./handed-over.ts";

/** Which DaemonSet owns the pod. */
export interface DaemonSetSettings {
  HOST_DIR: string;
  POD_NAMESPACE: string;
  DAEMONSET_NAME: string;
}

/** Whether the product is being uninstalled, and why that is believed. */
export interface UninstallVerdict {
  uninstalled: boolean;
  because: string;
}

const objectSchema = v.object({
  metadata: v.object({ uid: v.string(), deletionTimestamp: v.optional(v.string()) }),
});

/** Saves the DaemonSet's uid at the agent's start, for the question at its end. Never throws. */
export async function noteDaemonSet(
  settings: DaemonSetSettings,
  api: KubernetesApi,
  log: Log,
): Promise<void> {
  const path = join(settings.HOST_DIR, DAEMONSET_NOTE);
  try {
    const { status, body } = await api.get(daemonSetPath(settings));
    if (status === 200) {
      await writeFileAtomically(path, v.parse(objectSchema, body).metadata.uid);
      return;
    }
    await removeFile(path);
    log.warn("daemonset_unreadable", { status, hint: "remove --when-uninstalled will do nothing" });
  } catch (error) {
    log.warn("daemonset_unreadable", { error: describeError(error) });
  }
}

/** Between two questions whether the right to ask is gone, in ms; a preStop hook has half a minute in all. */
const ASK_AGAIN_MS = 2_000;

/**
 * Decides at the pod's end, within half a minute. Everything unclear counts as staying, because a composer that stays
 * loses no core.
 */
export async function findUninstall(
  settings: DaemonSetSettings,
  api: KubernetesApi | undefined,
  askAgainMs = ASK_AGAIN_MS,
): Promise<UninstallVerdict> {
  if (api === undefined || settings.DAEMONSET_NAME === "")
    return { uninstalled: false, because: "this is no pod of a DaemonSet" };
  const uid = await readTextFile(join(settings.HOST_DIR, DAEMONSET_NOTE));
  try {
    const answer = await api.get(daemonSetPath(settings));
    const verdict = judgeAnswer(answer, uid);
    const mayAskNoMore = answer.status === 403 && uid !== undefined;
    if (mayAskNoMore && (await isRightGone(settings, api, askAgainMs)))
      return { uninstalled: true, because: "the chart's Role was taken away" };
    if (verdict !== "there") return verdict;
    if (runsAnotherProgram(answer))
      return { uninstalled: true, because: "another program has taken the DaemonSet over" };
    return judgeNamespace(await api.get(namespacePath(settings)));
  } catch (error) {
    return { uninstalled: false, because: describeError(error) };
  }
}

/** Asks for the DaemonSet of this name, whatever its uid. Throws AppError "host" where no answer comes. */
export async function askDaemonSet(
  settings: Omit<DaemonSetSettings, "HOST_DIR">,
  api: KubernetesApi,
): Promise<UninstallVerdict | "there"> {
  return judgeAnswer(await api.get(daemonSetPath(settings)), undefined);
}

/**
 * Judges the answer about the DaemonSet; "there" where it stays. `uid` is the one from the start; undefined where the
 * agent could not ask then.
 */
export function judgeAnswer(
  { status, body }: KubernetesAnswer,
  uid: string | undefined,
): UninstallVerdict | "there" {
  if (status === 404) return { uninstalled: true, because: "the DaemonSet is gone" };
  const parsed = v.safeParse(objectSchema, body);
  if (status !== 200 || !parsed.success)
    return {
      uninstalled: false,
      because: `the API server answered ${status}, which proves nothing`,
    };
  const { metadata } = parsed.output;
  // A new DaemonSet has the same name; its pod may have installed already and needs the files.
  if (uid !== undefined && metadata.uid !== uid)
    return { uninstalled: false, because: "another DaemonSet has taken its place" };
  if (metadata.deletionTimestamp !== undefined)
    return { uninstalled: true, because: "the DaemonSet is being deleted" };
  return "there";
}

function judgeNamespace({ status, body }: KubernetesAnswer): UninstallVerdict {
  const parsed = v.safeParse(objectSchema, body);
  if (status !== 200 || !parsed.success)
    return {
      uninstalled: false,
      because: `the DaemonSet is still there, and for its namespace the API server answered ${status}`,
    };
  if (parsed.output.metadata.deletionTimestamp !== undefined)
    return { uninstalled: true, because: "the namespace is being deleted" };
  return { uninstalled: false, because: "the DaemonSet is still there" };
}

function namespacePath({ POD_NAMESPACE }: DaemonSetSettings): string {
  return `/api/v1/namespaces/${encodeURIComponent(POD_NAMESPACE)}`;
}

function daemonSetPath({
  POD_NAMESPACE,
  DAEMONSET_NAME,
}: Omit<DaemonSetSettings, "HOST_DIR">): string {
  const [namespace, name] = [POD_NAMESPACE, DAEMONSET_NAME].map(encodeURIComponent);
  return `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`;
}
