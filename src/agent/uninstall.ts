// Is this pod ending because the product is being uninstalled, or because it is updated, evicted or moved?
// Only the first may take the composer off the host. The API server knows: the DaemonSet is gone, or going.
//
// `helm uninstall` deletes the DaemonSet first and the pod's own right to ask soon after. So the agent notes
// at its start that it may ask (and the DaemonSet's uid); a refusal later means that the right was taken away
// with the release. RBAC: `get` on daemonsets.apps, in the own namespace, by this one name.
import { join } from "node:path";
import * as v from "valibot";
import { describeError } from "../model/app-error.ts";
import { readTextFile, removeFile, writeFileAtomically } from "../host/files.ts";
import type { Log } from "../host/log.ts";
import type { KubernetesAnswer, KubernetesApi } from "./kubernetes-api.ts";
import { DAEMONSET_NOTE } from "../model/host-file.ts";

export interface DaemonSetSettings {
  HOST_DIR: string;
  POD_NAMESPACE: string;
  DAEMONSET_NAME: string;
}

export interface UninstallVerdict {
  uninstalled: boolean;
  because: string;
}

const daemonSetSchema = v.object({
  metadata: v.object({ uid: v.string(), deletionTimestamp: v.optional(v.string()) }),
});

/** At the agent's start: keeps the DaemonSet's uid for the question at its end. Never throws. */
export async function noteDaemonSet(
  settings: DaemonSetSettings,
  api: KubernetesApi,
  log: Log,
): Promise<void> {
  const path = join(settings.HOST_DIR, DAEMONSET_NOTE);
  try {
    const { status, body } = await api.get(daemonSetPath(settings));
    if (status === 200) {
      await writeFileAtomically(path, v.parse(daemonSetSchema, body).metadata.uid);
      return;
    }
    await removeFile(path);
    log.warn("daemonset_unreadable", { status, hint: "remove --when-uninstalled will do nothing" });
  } catch (error) {
    log.warn("daemonset_unreadable", { error: describeError(error) });
  }
}

/** At the pod's end. Whatever is unclear counts as staying: a composer that stays loses no core. */
export async function findUninstall(
  settings: DaemonSetSettings,
  api: KubernetesApi | undefined,
): Promise<UninstallVerdict> {
  if (api === undefined || settings.DAEMONSET_NAME === "")
    return { uninstalled: false, because: "this is no pod of a DaemonSet" };
  const uid = await readTextFile(join(settings.HOST_DIR, DAEMONSET_NOTE));
  try {
    return judgeAnswer(await api.get(daemonSetPath(settings)), uid);
  } catch (error) {
    return { uninstalled: false, because: describeError(error) };
  }
}

/** `uid` is the one noted at the start; undefined where the agent could not ask then. */
export function judgeAnswer(
  { status, body }: KubernetesAnswer,
  uid: string | undefined,
): UninstallVerdict {
  if (status === 404) return { uninstalled: true, because: "the DaemonSet is gone" };
  if ((status === 401 || status === 403) && uid !== undefined)
    return { uninstalled: true, because: "the right to see the DaemonSet went with the release" };
  const parsed = v.safeParse(daemonSetSchema, body);
  if (status !== 200 || !parsed.success)
    return { uninstalled: false, because: `the API server answered ${status}` };
  const { metadata } = parsed.output;
  // A new DaemonSet of the same name: its pod may have installed already, and needs what is there.
  if (uid !== undefined && metadata.uid !== uid)
    return { uninstalled: false, because: "another DaemonSet has taken its place" };
  if (metadata.deletionTimestamp !== undefined)
    return { uninstalled: true, because: "the DaemonSet is being deleted" };
  return { uninstalled: false, because: "the DaemonSet is still there" };
}

function daemonSetPath({ POD_NAMESPACE, DAEMONSET_NAME }: DaemonSetSettings): string {
  const [namespace, name] = [POD_NAMESPACE, DAEMONSET_NAME].map(encodeURIComponent);
  return `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`;
}
