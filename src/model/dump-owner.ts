// Whose a dump is, where limits are fair by namespace. Only what the container runtime said counts: a namespace
// that was guessed from a host name is a name that the crashed pod chose.
import type { Identity } from "./dump-info.ts";

/** Processes of the host; no namespace has such a name. */
export const HOST_OWNER = "(host)";
/** Crashes whose namespace is not known for certain: all of them share one part. */
export const UNKNOWN_OWNER = "(unknown)";

/** Kubernetes' names of namespaces (RFC 1123 labels). */
const NAMESPACE = /^[a-z0-9-]{1,63}$/;
const SURE: ReadonlySet<unknown> = new Set<Identity>(["cgroup", "core_file"]);

/** The namespace of dump-info, or one of the two words above. Takes anything: a zip may be another's. */
export function namespaceOwner(info: { identity?: unknown; namespace?: unknown }): string {
  const { identity, namespace } = info;
  if (identity === "host_process") return HOST_OWNER;
  if (!SURE.has(identity) || typeof namespace !== "string") return UNKNOWN_OWNER;
  return NAMESPACE.test(namespace) ? namespace : UNKNOWN_OWNER;
}

export interface DumpOwner {
  /** As namespaceOwner has it. */
  namespace: string;
  /** The workload's hash (workload.ts). */
  workload: string;
}

/** On one line, as it is kept with a dump's file. */
export function formatOwner({ namespace, workload }: DumpOwner): string {
  return `${namespace}/${workload}`;
}

/** undefined for what formatOwner does not write. */
export function parseOwner(text: string): DumpOwner | undefined {
  const [namespace = "", workload = "", ...rest] = text.split("/");
  const isKnown = namespace === HOST_OWNER || namespace === UNKNOWN_OWNER;
  if (rest.length > 0 || workload === "" || !(isKnown || NAMESPACE.test(namespace)))
    return undefined;
  return { namespace, workload };
}
