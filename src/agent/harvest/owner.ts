// Whose core it is. A layer is one container's; a volume may be the /tmp of several, and then only the end of one of
// them tells. Pure, but for asking the runtime again.
import { HOST_OWNER, UNKNOWN_OWNER } from "../../model/dump-owner.ts";
import { textAt, type JsonObject } from "../../model/json.ts";
import type { CoreFileName } from "../../model/core-file-pattern.ts";
import type { ContainerRecord } from "./containers.ts";
import type { FoundCore } from "./found-core.ts";

export interface Owner {
  /** undefined where several may be it, and for a process outside containers. */
  container: ContainerRecord | undefined;
  /** null where it is not known. */
  pod: JsonObject | null;
}

/** Whose turn it is when a core of these containers is zipped; several namespaces that share a directory are none. */
export function namespaceOf(owners: Iterable<Pick<ContainerRecord, "namespace">>): string {
  const namespaces = new Set([...owners].map(({ namespace }) => namespace));
  const [first] = namespaces;
  if (first === undefined) return HOST_OWNER;
  return namespaces.size === 1 && first !== "" ? first : UNKNOWN_OWNER;
}

/** From a crash (%t) to the end of its container: the dump lies in between. */
const SAME_TIME_MS = 600_000;
/** The runtime tells of a container's end a moment after its core is finished. */
const ASK_TIMES = 5;
const ASK_PAUSE_MS = 300;

/** Finds it, asking the runtime anew (`refresh`) where a volume may have more owners by now, or one may have ended. */
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

/** Of several, the one whose first process ended by this signal, if the core is a first process's. */
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
