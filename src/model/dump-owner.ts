// Which namespace a dump counts for, where limits are fair by namespace. Only the container runtime's word counts: a
// namespace that the composer guessed from a host name may be one that the crashed pod chose.
import type { Identity } from "./dump-info.ts";

/** The owner of dumps of the host's own processes; no namespace has such a name. */
export const HOST_OWNER = "(host)";
/** The owner of dumps whose namespace is not certain; they share one part. */
export const UNKNOWN_OWNER = "(unknown)";

/** Kubernetes' names of namespaces (RFC 1123 labels). */
const NAMESPACE = /^[a-z0-9-]{1,63}$/;
const SURE: ReadonlySet<unknown> = new Set<Identity>(["cgroup", "core_file"]);

/**
 * Returns dump-info's namespace, HOST_OWNER or UNKNOWN_OWNER. Accepts values of any type, because another program may
 * have written the zip.
 */
export function namespaceOwner(info: { identity?: unknown; namespace?: unknown }): string {
  const { identity, namespace } = info;
  if (identity === "host_process") return HOST_OWNER;
  if (!SURE.has(identity) || typeof namespace !== "string") return UNKNOWN_OWNER;
  return NAMESPACE.test(namespace) ? namespace : UNKNOWN_OWNER;
}

/** Whom a dump counts for. */
export interface DumpOwner {
  /** As namespaceOwner has it. */
  namespace: string;
  /** The workload's hash (workload.ts). */
  workload: string;
}

/** Writes the owner on one line, for the attribute of the dump's file. */
export function formatOwner({ namespace, workload }: DumpOwner): string {
  return `${namespace}/${workload}`;
}

/** Parses such a line; undefined for one that formatOwner does not write. */
export function parseOwner(text: string): DumpOwner | undefined {
  const [namespace = "", workload = "", ...rest] = text.split("/");
  const isKnown = namespace === HOST_OWNER || namespace === UNKNOWN_OWNER;
  if (rest.length > 0 || workload === "" || !(isKnown || NAMESPACE.test(namespace)))
    return undefined;
  return { namespace, workload };
}
