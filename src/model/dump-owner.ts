// Which namespace a dump counts for, where limits are fair by namespace. Only the container runtime's word counts: a
// namespace that the composer guessed from a host name may be one that the crashed pod chose.
import type { Identity } from "./dump-info.ts";
import { DUMP_PRIORITIES, type DumpPriority } from "./dump-priority.ts";

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
  /** Which of its dumps give way first; "normal" where it is left out. */
  priority?: DumpPriority;
}

/** Writes the owner on one line, for the attribute of the dump's file. Earlier versions know two parts only. */
export function formatOwner({ namespace, workload, priority = "normal" }: DumpOwner): string {
  return priority === "normal"
    ? `${namespace}/${workload}`
    : `${namespace}/${workload}/${priority}`;
}

/** Parses such a line; undefined for one that formatOwner does not write. */
export function parseOwner(text: string): DumpOwner | undefined {
  const [namespace = "", workload = "", word = "normal", ...rest] = text.split("/");
  const priority = DUMP_PRIORITIES.find((known) => known === word);
  const isKnown = namespace === HOST_OWNER || namespace === UNKNOWN_OWNER;
  if (
    priority === undefined ||
    rest.length > 0 ||
    workload === "" ||
    !(isKnown || NAMESPACE.test(namespace))
  )
    return undefined;
  return priority === "normal" ? { namespace, workload } : { namespace, workload, priority };
}
