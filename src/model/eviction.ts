// Which dumps give way when CORE_DIR is at its limit: the oldest of the workload that takes the most, again and
// again until enough is free; never the newest, which is the one that somebody is looking for.

export interface StoredDump {
  name: string;
  sizeBytes: number;
  modifiedMs: number;
  /** Whose dump it is; dumps of one crash loop share it. */
  workload: string;
  /** False for what counts but cannot go: a dump under way, one being uploaded. */
  evictable: boolean;
}

/** The dumps to evict, in order, so that at least neededBytes come free; all that may go where that is less. */
export function planEvictions<Dump extends StoredDump>(
  dumps: readonly Dump[],
  neededBytes: number,
): Dump[] {
  const newest = newestOf(dumps);
  const left = new Map<string, Dump[]>();
  const bytes = new Map<string, number>();
  for (const dump of dumps.toSorted((a, b) => a.modifiedMs - b.modifiedMs)) {
    bytes.set(dump.workload, (bytes.get(dump.workload) ?? 0) + dump.sizeBytes);
    if (dump.evictable && dump !== newest)
      left.set(dump.workload, [...(left.get(dump.workload) ?? []), dump]);
  }
  const plan: Dump[] = [];
  for (let freed = 0; freed < neededBytes;) {
    const workload = largest(bytes, left);
    const dump = workload === undefined ? undefined : left.get(workload)?.shift();
    if (workload === undefined || dump === undefined) break;
    plan.push(dump);
    freed += dump.sizeBytes;
    bytes.set(workload, (bytes.get(workload) ?? 0) - dump.sizeBytes);
  }
  return plan;
}

function newestOf(dumps: readonly StoredDump[]): StoredDump | undefined {
  return dumps.reduce<StoredDump | undefined>(
    (newest, dump) =>
      newest === undefined || dump.modifiedMs >= newest.modifiedMs ? dump : newest,
    undefined,
  );
}

/** The workload with the most bytes that has something to give. */
function largest(
  bytes: ReadonlyMap<string, number>,
  left: ReadonlyMap<string, readonly StoredDump[]>,
): string | undefined {
  let found: string | undefined;
  for (const [workload, dumps] of left) {
    if (dumps.length === 0) continue;
    if (found === undefined || (bytes.get(workload) ?? 0) > (bytes.get(found) ?? 0))
      found = workload;
  }
  return found;
}
