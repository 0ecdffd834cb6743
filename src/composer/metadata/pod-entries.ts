// Makes the zip's files about one pod: the runtime's descriptions, then for each container the log, the image and,
// where wanted, the main process's /proc files (docs/contract.md, section 6).
import { parseCgroup } from "../../model/cgroup-path.ts";
import { readLogTail } from "./container-log.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { JsonEntries } from "./json-entries.ts";
import { textAt, textsAt, type JsonObject } from "../../model/json.ts";
import {
  CRASH_PROC_FOLDER,
  imageInfoSuffix,
  logSuffix,
  POD_INFO_SUFFIX,
  procFolder,
  PS_INFO_SUFFIX,
  RUNTIME_INFO_SUFFIX,
  type DumpEntry,
} from "../../model/dump-entries.ts";
import { looksUndumpable, readProcFiles } from "./proc-files.ts";
import { findLiveThread, pinThread, readCgroup, type PinnedThread } from "./process.ts";
import type { ContainerDetail, Runtime } from "./runtime.ts";
import type { Steps } from "./steps.ts";

/** What is wanted for which pod. */
export interface PodRequest {
  runtime: Runtime;
  pod: JsonObject;
  /** The container that crashed; null when it is not certain. */
  crashedId: string | null;
  /** The crashed container as the runtime listed it earlier, in case the runtime has forgotten it; else null. */
  knownContainer: JsonObject | null;
  logLines: number;
  /** Which /proc files are wanted; null for none. */
  proc: ProcWish | null;
  steps: Steps;
  budget: ByteBudget;
  json: JsonEntries;
}

/** How /proc files are read. */
export interface ProcWish {
  procDir: string;
  includeUndumpable: boolean;
  /** The crashing process, whose files were read at once, because it may end soon. */
  crashed: { hostPid: number | null; isFirst: boolean; entries: readonly DumpEntry[] };
}

/** The files about a pod, and its containers. */
export interface PodEntries {
  entries: DumpEntry[];
  /** The containers in the order of the numbered files. */
  containers: JsonObject[];
  images: (JsonObject | null)[];
  /** The number of the crashed container; null when it is unknown. */
  crashedIndex: number | null;
}

const NO_DETAIL: ContainerDetail = { logPath: "", pid: null };
/** The longest log of the crashed container, which the report is about. */
const CRASHED_LOG_MAX_BYTES = 512 * 2 ** 10;
const LOG_MAX_BYTES = 256 * 2 ** 10;
const LOG_LONG_BYTES = 128 * 2 ** 10;
/** More containers than a real pod has, dead predecessors included. */
const CONTAINERS_MAX = 32;
/** A pod may have 256 KiB of annotations, which the runtime's own description repeats. */
const POD_JSON_MAX_BYTES = 272 * 2 ** 10;
const RUNTIME_JSON_MAX_BYTES = 192 * 2 ** 10;
const PS_JSON_MAX_BYTES = 128 * 2 ** 10;
const IMAGE_JSON_MAX_BYTES = 64 * 2 ** 10;

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

async function containerEntries(
  request: PodRequest,
  container: JsonObject,
  index: number,
  image: JsonObject | null,
): Promise<DumpEntry[]> {
  const { runtime, json, steps } = request;
  const id = textAt(container, "id");
  const detail = await steps.step(
    `container ${index}`,
    () => runtime.container(id, { wantsPid: request.proc !== null }),
    NO_DETAIL,
  );
  const log = await readLog(request, id, index, detail.logPath);
  return [
    { suffix: logSuffix(index), data: log },
    json.entry(imageInfoSuffix(index), image ?? {}, IMAGE_JSON_MAX_BYTES),
    ...(await procEntries(request, id, index, detail.pid)),
  ];
}

/** Reads the log's file, else the log by the runtime's own means, else nothing. */
async function readLog(
  { runtime, crashedId, logLines, steps, budget }: PodRequest,
  containerId: string,
  index: number,
  logPath: string,
): Promise<Uint8Array> {
  const label = `log of ${index}`;
  const isCrashed = containerId === crashedId;
  const maxBytes = budget.allow(isCrashed ? CRASHED_LOG_MAX_BYTES : LOG_MAX_BYTES);
  const fromFile = await steps.step(
    label,
    () => {
      if (logPath === "") throw new Error("the runtime names no log file");
      return readLogTail(logPath, containerId, { lines: logLines, maxBytes });
    },
    null,
  );
  if (fromFile?.cut === true) steps.record(label, `only what is in the last ${maxBytes} bytes`);
  const data = fromFile?.data ?? (await askForLog(runtime, containerId, logLines, label, steps));
  const kept = data.length > maxBytes ? data.slice(data.length - maxBytes) : data;
  budget.spend(kept.length);
  // The buffers of a long log are several times its size.
  if (kept.length > LOG_LONG_BYTES) Bun.gc(true);
  return kept;
}

async function askForLog(
  runtime: Runtime,
  containerId: string,
  lines: number,
  label: string,
  steps: Steps,
): Promise<Uint8Array> {
  const text = await steps.step(label, () => runtime.logs(containerId, lines), null);
  return new TextEncoder().encode(text ?? "");
}

async function procEntries(
  { proc, crashedId, steps, budget }: PodRequest,
  containerId: string,
  index: number,
  pid: number | null,
): Promise<DumpEntry[]> {
  if (proc === null) return [];
  const { procDir, includeUndumpable, crashed } = proc;
  const prefix = procFolder(index);
  const ended = pid === null || pid === 0;
  const isCrasher = ended ? containerId === crashedId && crashed.isFirst : pid === crashed.hostPid;
  if (isCrasher)
    return crashed.entries.map(({ suffix, data }) => ({
      suffix: suffix.replace(CRASH_PROC_FOLDER, prefix),
      data,
    }));
  if (ended) return [];
  const hidden =
    !includeUndumpable &&
    (await steps.step(prefix.slice(1), () => looksUndumpable(procDir, pid), true));
  if (hidden) {
    steps.record(prefix.slice(1), `process ${pid} is not dumpable`);
    return [];
  }
  const pin = () => pinInContainer(procDir, pid, containerId);
  return readProcFiles({ procDir, pin, prefix }, steps, budget);
}

/** Pins a thread of the container. Throws where the pid no longer belongs to the container. */
function pinInContainer(procDir: string, pid: number, containerId: string): PinnedThread {
  const thread = pinThread(procDir, findLiveThread(procDir, pid), null);
  const identity = parseCgroup(readCgroup(procDir, thread));
  if (identity.kind !== "container" || identity.containerId !== containerId)
    throw new Error(`process ${pid} is not in container ${containerId}`);
  return thread;
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
