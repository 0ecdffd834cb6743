// Finds the owner of a core. A layer belongs to one container. A volume may be the /tmp of several, and then only the
// end of one of them shows the owner. Pure, except that it asks the runtime again.
import { HOST_OWNER, UNKNOWN_OWNER } from "../../model/dump-owner.ts";
import { textAt, type JsonObject } from "../../model/json.ts";
import type { CoreFileName } from "../../model/core-file-pattern.ts";
import type { ContainerRecord } from "./containers.ts";
import type { FoundCore } from "./found-core.ts";

/** The owner of a core. */
export interface Owner {
  /** The container; undefined where several are possible, and for a process outside containers. */
  container: ContainerRecord | undefined;
  /** The pod; null where it is unknown. */
  pod: JsonObject | null;
}

/**
 * Returns the namespace whose turn counts for a core of these containers; UNKNOWN_OWNER where several namespaces share
 * a directory.
 */
export function namespaceOf(owners: Iterable<Pick<ContainerRecord, "namespace">>): string {
  const namespaces = new Set([...owners].map(({ namespace }) => namespace));
  const [first] = namespaces;
  if (first === undefined) return HOST_OWNER;
  return namespaces.size === 1 && first !== "" ? first : UNKNOWN_OWNER;
}

/** The longest time from a crash (%t) to the end of its container, in ms; the dump lies in between. */
const SAME_TIME_MS = 600_000;
/** How often the runtime is asked, because it reports a container's end a moment after the core is finished. */
const ASK_TIMES = 5;
const ASK_PAUSE_MS = 300;

/**
 * Finds the owner. Asks the runtime again (`refresh`) where a volume may have other owners by now, or one of them may
 * have ended.
 */
export async function findOwner(
  core: Pick<FoundCore, "spot" | "owners" | "facts">,
  refresh: () => Promise<void>,
  pauseMs = ASK_PAUSE_MS,
): Promise<Owner> {
  if (core.spot.isLayer || core.owners.length === 0) return chooseOwner(core.facts, core.owners);
  for (let asked = 1; ; asked++) {
    await refresh();
    const all = new Map(core.owners.map((record) => [record.id, record]));
    for (const [id, record] of core.spot.owners) all.set(id, record);
    const owner = chooseOwner(core.facts, [...all.values()]);
    const mayBeTold = owner.container === undefined && core.facts.pid === 1;
    if (!mayBeTold || asked >= ASK_TIMES) return owner;
    await Bun.sleep(pauseMs);
  }
}

/**
 * Chooses among several containers the one whose first process ended by this signal, if the core is a first process's.
 */
export function chooseOwner(
  { pid, signal, timestampSeconds }: CoreFileName,
  owners: readonly ContainerRecord[],
): Owner {
  const ended = owners.filter(
    ({ exit }) =>
      pid === 1 &&
      exit?.exitCode === 128 + signal &&
      Math.abs(exit.finishedMs - timestampSeconds * 1000) < SAME_TIME_MS,
  );
  const candidates = owners.length === 1 ? owners : ended;
  const container = candidates.length === 1 ? candidates[0] : undefined;
  const [first] = owners;
  const isOnePod = owners.every(({ pod }) => textAt(pod, "id") === textAt(first?.pod, "id"));
  return { container, pod: container?.pod ?? (isOnePod ? (first?.pod ?? null) : null) };
}
