// Posts a Kubernetes Event on the pod whose dump was delivered, so that `kubectl describe pod` shows where the core
// is. Off by default (KUBERNETES_EVENTS). RBAC: `create` on events, in the namespaces of the pods.
import { ANNOTATION_COMPLAINT } from "../../config/pod-policy.ts";
import { describeError } from "../../model/app-error.ts";
import { oneLine } from "../../model/printable.ts";
import type { Log } from "../../host/log.ts";
import type { KubernetesApi } from "./kubernetes-api.ts";

/** The keys of dump-info that the event uses. The zip is not trusted, so a value may have any type. */
export type DumpFacts = Readonly<Record<string, unknown>>;

/** The API server's own limits (Event.message; pod names are at most 253 characters). */
const MESSAGE_MAX_CHARACTERS = 1000;
const NAME_MAX_CHARACTERS = 200;
const TITLE_MAX_CHARACTERS = 300;

/** Returns the Event's body and the path to post it to; undefined where the dump's pod is unknown. */
export function planKubernetesEvent(
  facts: DumpFacts,
  key: string,
  now: Date,
): { path: string; body: Record<string, unknown> } | undefined {
  const [namespace, name] = [text(facts["namespace"]), text(facts["podname"])];
  // Accepts only names that Kubernetes allows (RFC 1123).
  if (!/^[a-z0-9-]{1,63}$/.test(namespace) || !/^[a-z0-9.-]{1,253}$/.test(name)) return undefined;
  const uid = matching(facts["pod_uid"], /^[0-9a-f-]{1,64}$/i);
  const at = now.toISOString().replace(/\.\d+Z$/, "Z");
  const container = matching(facts["container_name"], /^[a-z0-9-]{1,63}$/);
  const body = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { generateName: `${name.slice(0, NAME_MAX_CHARACTERS)}.`, namespace },
    involvedObject: {
      apiVersion: "v1",
      kind: "Pod",
      namespace,
      name,
      ...(uid === "" ? {} : { uid }),
      ...(container === "" ? {} : { fieldPath: `spec.containers{${container}}` }),
    },
    type: "Warning",
    reason: "CoreDumpDelivered",
    message: messageOf(facts, key),
    source: {
      component: "core-dump-handler",
      host: matching(facts["node_hostname"], /^[A-Za-z0-9.-]{1,253}$/),
    },
    firstTimestamp: at,
    lastTimestamp: at,
    count: 1,
  };
  return { path: `/api/v1/namespaces/${namespace}/events`, body };
}

function messageOf(facts: DumpFacts, key: string): string {
  const signal = text(facts["signal_name"]) || `signal ${text(facts["signal"])}`;
  const small = facts["core_content"] === "stacks" ? " of the stacks" : "";
  const cut = facts["core_complete"] === false ? " (cut short)" : "";
  const title = text(facts["title"]).slice(0, TITLE_MAX_CHARACTERS);
  const why = title === "" ? "" : ` (${title}; bug ${matching(facts["bug"], /^[0-9a-f]{16}$/)})`;
  const ignored = ignoredAnnotations(facts["settings_ignored"]);
  const sentence = `${text(facts["exe"])} crashed with ${signal}${why}; core dump${small}${cut} delivered as ${key}${ignored}`;
  return oneLine(sentence).slice(0, MESSAGE_MAX_CHARACTERS);
}

/** The pod's own wishes that were not followed: whoever wrote them reads its events. */
function ignoredAnnotations(complaints: unknown): string {
  const lines = Array.isArray(complaints) ? complaints.map(text) : [];
  const own = lines.filter((line) => line.startsWith(ANNOTATION_COMPLAINT));
  return own.length === 0 ? "" : `; ignored: ${own.join("; ")}`;
}

/** Posts the event; logs a failure. Never throws, because the dump is delivered already. */
export async function postEvent(
  api: KubernetesApi,
  facts: DumpFacts,
  key: string,
  log: Log,
): Promise<void> {
  const event = planKubernetesEvent(facts, key, new Date());
  if (event === undefined) return;
  try {
    const { status } = await api.post(event.path, event.body);
    if (status === 201) return;
    const hint = status === 403 ? "the service account may not create events there" : "";
    log.warn("kubernetes_event_refused", { key, status, hint });
  } catch (error) {
    log.warn("kubernetes_event_refused", { key, error: describeError(error) });
  }
}

/** Returns the text where it has the form that Kubernetes gives it, else "". */
function matching(value: unknown, form: RegExp): string {
  return form.test(text(value)) ? text(value) : "";
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
