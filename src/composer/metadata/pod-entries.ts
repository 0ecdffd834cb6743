// Makes the zip's files about one pod: the runtime's descriptions, then each container's numbered files
// (container-entries.ts; docs/contract.md, section 6).
import {
  POD_INFO_SUFFIX,
  PS_INFO_SUFFIX,
  RUNTIME_INFO_SUFFIX,
  type DumpEntry,
} from "../../model/dump-entries.ts";
import { textAt, textsAt, type JsonObject } from "../../model/json.ts";
import { containerEntries, type PodRequest } from "./container-entries.ts";
import type { JsonEntries } from "./json-entries.ts";
import type { Steps } from "./steps.ts";

/** The files about a pod, and its containers. */
export interface PodEntries {
  entries: DumpEntry[];
  /** The containers in the order of the numbered files. */
  containers: JsonObject[];
  images: (JsonObject | null)[];
  /** The number of the crashed container; null when it is unknown. */
  crashedIndex: number | null;
}

/** More containers than a real pod has, dead predecessors included. */
const CONTAINERS_MAX = 32;
/** A pod may have 256 KiB of annotations, which the runtime's own description repeats. */
const POD_JSON_MAX_BYTES = 272 * 2 ** 10;
const RUNTIME_JSON_MAX_BYTES = 192 * 2 ** 10;
const PS_JSON_MAX_BYTES = 128 * 2 ** 10;

/**
 * Makes the pod's three files for a crash whose pod is unknown, or of which no more is known. They hold `{}`
 * (docs/contract.md, section 6).
 */
export function emptyPodEntries(writer: JsonEntries, pod: JsonObject = {}): DumpEntry[] {
  return [
    writer.entry(POD_INFO_SUFFIX, pod, POD_JSON_MAX_BYTES),
    writer.entry(RUNTIME_INFO_SUFFIX, {}, RUNTIME_JSON_MAX_BYTES),
    writer.entry(PS_INFO_SUFFIX, {}, PS_JSON_MAX_BYTES),
  ];
}

/** Collects the files. Records what is missing. Never throws. */
export async function collectPodEntries(request: PodRequest): Promise<PodEntries> {
  const { runtime, pod, crashedId, json, steps } = request;
  const podId = textAt(pod, "id");
  const podEntries = [json.entry(POD_INFO_SUFFIX, pod, POD_JSON_MAX_BYTES)];
  const inspected = await steps.step("runtime-info", () => runtime.inspectPod(podId), {});
  podEntries.push(json.entry(RUNTIME_INFO_SUFFIX, inspected, RUNTIME_JSON_MAX_BYTES));
  const listed = await listContainers(request, podId);
  const listing = listed === null ? {} : { containers: listed };
  podEntries.push(json.entry(PS_INFO_SUFFIX, listing, PS_JSON_MAX_BYTES));
  const containers = withKnown(listed ?? [], request.knownContainer).slice(0, CONTAINERS_MAX);
  recordLeftOut(listed ?? [], steps);
  const crashedIndex = containers.findIndex((container) => textAt(container, "id") === crashedId);

  const numbered: DumpEntry[][] = [];
  const images: (JsonObject | null)[] = [];
  // Reads the crashed container's files first, so that a lack of time or room costs only those of the others.
  for (const index of crasherFirst(containers.length, crashedIndex)) {
    const container = containers[index];
    if (container === undefined) continue;
    const image = await steps.step(`image of ${index}`, () => runtime.image(container), null);
    images[index] = image;
    numbered[index] = await containerEntries(request, container, index, image);
  }
  return {
    entries: [...podEntries, ...numbered.flat()],
    containers,
    images,
    crashedIndex: crashedIndex === -1 ? null : crashedIndex,
  };
}

/**
 * Lists the containers in the runtime's order. Puts the crashed one first if it would otherwise get no number or be
 * beyond the answer's end.
 */
async function listContainers(
  { runtime, crashedId, steps }: PodRequest,
  podId: string,
): Promise<JsonObject[] | null> {
  const listed = await steps.step<JsonObject[] | null>(
    "ps-info",
    () => runtime.containers(podId),
    null,
  );
  if (listed === null || crashedId === null || crashedId === podId) return listed;
  const isCrashed = (container: JsonObject) => textAt(container, "id") === crashedId;
  if (listed.slice(0, CONTAINERS_MAX).some(isCrashed)) return listed;
  const ask = () => runtime.listed(crashedId);
  const crashed = listed.find(isCrashed) ?? (await steps.step("crashed container", ask, null));
  if (crashed === null) return listed;
  return [crashed, ...listed.filter((container) => !isCrashed(container))];
}

/** Records the containers that get no numbered files. */
function recordLeftOut(listed: readonly JsonObject[], steps: Steps): void {
  const names = listed.slice(CONTAINERS_MAX).map((item) => textAt(item, "metadata", "name"));
  if (names.length === 0) return;
  const which = `containers ${CONTAINERS_MAX} to ${listed.length - 1}`;
  steps.record(
    which,
    `only ${CONTAINERS_MAX} of ${listed.length} are taken, not ${names.join(", ")}`,
  );
}

/** Adds the crashed container at the beginning where the runtime no longer lists it. */
function withKnown(listed: JsonObject[], known: JsonObject | null): JsonObject[] {
  const id = textAt(known, "id");
  const isListed = listed.some((container) => textAt(container, "id") === id);
  return known === null || isListed ? listed : [known, ...listed];
}

/** Returns the event file's image_list: each image's digest, else its tag, else its id. */
export function imageNames(images: readonly (JsonObject | null)[]): string[] {
  return images
    .filter((image) => image !== null)
    .map(
      (image) =>
        textsAt(image, "repoDigests")[0] ?? textsAt(image, "repoTags")[0] ?? textAt(image, "id"),
    );
}

function crasherFirst(count: number, crashedIndex: number): number[] {
  const all = Array.from({ length: count }, (_, index) => index);
  return crashedIndex === -1 ? all : [crashedIndex, ...all.filter((i) => i !== crashedIndex)];
}
