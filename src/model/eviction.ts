// Plans which dumps to evict when CORE_DIR is at its limit. Each step takes the namespace with the most bytes, in it,
// of the lowest priority that it has dumps of, the workload with the most bytes, and evicts the oldest dump of that
// workload, until enough is free. The newest dump of each namespace stays, because somebody probably looks for it.
import { DUMP_PRIORITIES, type DumpPriority } from "./dump-priority.ts";

/** A dump in CORE_DIR, as the plan sees it. */
export interface KeptDump {
  name: string;
  sizeBytes: number;
  modifiedMs: number;
  /** As namespaceOwner (dump-owner.ts) has it. */
  namespace: string;
  /** Which workload of the namespace; dumps of one crash loop share it. */
  workload: string;
  /** "normal" where it is left out. */
  priority?: DumpPriority;
  /** False for a dump that counts but must stay, because a composer writes it or the agent uploads it. */
  evictable: boolean;
}

interface Share<Dump> {
  bytes: number;
  /** Of all its dumps: a workload has a share for each priority. */
  priority: number;
  /** The dumps that may go, the newest first: the next to go is the last. */
  left: Dump[];
}

interface NamespaceShare<Dump> {
  bytes: number;
  newest: Dump;
  /** The workloads that have a dump to evict, the next to give way last. */
  workloads: Share<Dump>[];
}

/**
 * Returns the dumps to evict, in order, so that at least neededBytes come free; all that may go where that is less.
 * With an `asker`, the namespace that needs the room, only that namespace and those that hold more than it lose dumps.
 */
export function planEvictions<Dump extends KeptDump>(
  dumps: readonly Dump[],
  neededBytes: number,
  asker?: string,
): Dump[] {
  const namespaces = shareOut(dumps);
  const plan: Dump[] = [];
  for (let freed = 0; freed < neededBytes;) {
    const name = largest(namespaces);
    const namespace = name === undefined ? undefined : namespaces.get(name);
    const askersBytes = asker === undefined ? 0 : (namespaces.get(asker)?.bytes ?? 0);
    if (namespace === undefined) break;
    if (asker !== undefined && name !== asker && namespace.bytes <= askersBytes) break;
    const workload = namespace.workloads.pop();
    const dump = workload?.left.pop();
    if (workload === undefined || dump === undefined) break;
    plan.push(dump);
    freed += dump.sizeBytes;
    namespace.bytes -= dump.sizeBytes;
    workload.bytes -= dump.sizeBytes;
    if (workload.left.length > 0) insert(namespace.workloads, workload);
  }
  return plan;
}

function shareOut<Dump extends KeptDump>(
  dumps: readonly Dump[],
): Map<string, NamespaceShare<Dump>> {
  const namespaces = new Map<string, NamespaceShare<Dump>>();
  const workloads = new Map<string, Map<string, Share<Dump>>>();
  for (const dump of dumps.toSorted((a, b) => b.modifiedMs - a.modifiedMs)) {
    const namespace = namespaces.get(dump.namespace) ?? { bytes: 0, newest: dump, workloads: [] };
    const shares = workloads.get(dump.namespace) ?? new Map<string, Share<Dump>>();
    const priority = DUMP_PRIORITIES.indexOf(dump.priority ?? "normal");
    const key = `${priority} ${dump.workload}`;
    const share = shares.get(key) ?? { bytes: 0, priority, left: [] };
    namespaces.set(dump.namespace, namespace);
    workloads.set(dump.namespace, shares.set(key, share));
    namespace.bytes += dump.sizeBytes;
    share.bytes += dump.sizeBytes;
    if (dump.evictable && dump !== namespace.newest) share.left.push(dump);
  }
  for (const [name, namespace] of namespaces)
    namespace.workloads = [...(workloads.get(name)?.values() ?? [])]
      .filter(({ left }) => left.length > 0)
      .sort(byWorth);
  return namespaces;
}

/** Returns the namespace with the most bytes among those that have a dump to evict. */
function largest(namespaces: ReadonlyMap<string, NamespaceShare<KeptDump>>): string | undefined {
  let found: { name: string; bytes: number } | undefined;
  for (const [name, { bytes, workloads }] of namespaces)
    if (workloads.length > 0 && (found === undefined || bytes > found.bytes))
      found = { name, bytes };
  return found?.name;
}

/** What gives way sooner comes later. */
function byWorth(a: Share<unknown>, b: Share<unknown>): number {
  return b.priority - a.priority || a.bytes - b.bytes;
}

/** Inserts by binary search, because a namespace may have very many workloads. */
function insert<Dump>(ascending: Share<Dump>[], share: Share<Dump>): void {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = ascending[middle];
    if (other !== undefined && byWorth(other, share) <= 0) from = middle + 1;
    else to = middle;
  }
  ascending.splice(from, 0, share);
}
