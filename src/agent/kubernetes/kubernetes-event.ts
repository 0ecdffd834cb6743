// A Kubernetes Event on the pod whose dump was delivered: `kubectl describe pod` then says where the core is.
// Off by default (KUBERNETES_EVENTS). RBAC: `create` on events, in the namespaces of the pods.
import { describeError } from "../../model/app-error.ts";
import { oneLine } from "../../model/printable.ts";
import type { Log } from "../../host/log.ts";
import type { KubernetesApi } from "./kubernetes-api.ts";

/** What of dump-info the event needs; the zip is not ours to trust, so every value may be anything. */
export type DumpFacts = Readonly<Record<string, unknown>>;

/** The API server's own limits (Event.message; pod names are at most 253 characters). */
const MESSAGE_MAX_CHARACTERS = 1000;
const NAME_MAX_CHARACTERS = 200;

/** The Event's body and where it is posted; undefined where the dump belongs to no pod that we know. */
export function planEvent(
  facts: DumpFacts,
  key: string,
  now: Date,
): { path: string; body: Record<string, unknown> } | undefined {
  const [namespace, name] = [text(facts["namespace"]), text(facts["podname"])];
  // The names that Kubernetes itself allows (RFC 1123): nothing else can be one of its pods.
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
  const cut = facts["core_complete"] === false ? " (cut short)" : "";
  const sentence = `${text(facts["exe"])} crashed with ${signal}; core dump${cut} delivered as ${key}`;
  return oneLine(sentence).slice(0, MESSAGE_MAX_CHARACTERS);
}

/** Posts the event. Never throws: a dump that is delivered is delivered, told or not. */
export async function postEvent(
  api: KubernetesApi,
  facts: DumpFacts,
  key: string,
  log: Log,
): Promise<void> {
  const event = planEvent(facts, key, new Date());
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

/** The text where it is of the form that Kubernetes gives it, else nothing. */
function matching(value: unknown, form: RegExp): string {
  return form.test(text(value)) ? text(value) : "";
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
