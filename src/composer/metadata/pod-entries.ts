// The zip's files about one pod: what the runtime says of it, then for each of its containers the log,
// the image and, where wanted, the main process's /proc files (docs/contract.md, section 6).
import { parseCgroup } from "../../model/cgroup-path.ts";
import { readLogTail } from "./container-log.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { JsonEntries } from "./json-entries.ts";
import { textAt, textsAt, type JsonObject } from "../../model/json.ts";
import {
  imageInfoSuffix,
  logSuffix,
  POD_INFO_SUFFIX,
  procFolder,
  PS_INFO_SUFFIX,
  RUNTIME_INFO_SUFFIX,
  type DumpEntry,
} from "../../model/dump-entries.ts";
import { CRASH_PROC_PREFIX, looksUndumpable, readProcFiles } from "./proc-files.ts";
import { findLiveThread, pinThread, readCgroup, type PinnedThread } from "./process.ts";
import type { ContainerDetail, Runtime } from "./runtime.ts";
import type { Steps } from "./steps.ts";

export interface PodRequest {
  runtime: Runtime;
  pod: JsonObject;
  /** The container that crashed; null when it is not known for certain. */
  crashedId: string | null;
  /** The crashed container as the runtime listed it before, in case it has forgotten it; else null. */
  knownContainer: JsonObject | null;
  logLines: number;
  /** Null where /proc files are not wanted. */
  proc: ProcWish | null;
  steps: Steps;
  budget: ByteBudget;
  json: JsonEntries;
}

export interface ProcWish {
  procDir: string;
  includeUndumpable: boolean;
  /** The crashing process: its files were read at once, it may be gone by now. */
  crashed: { hostPid: number | null; isFirst: boolean; entries: readonly DumpEntry[] };
}

export interface PodEntries {
  entries: DumpEntry[];
  /** Each container's, in the order of the numbered files. */
  containers: JsonObject[];
  images: (JsonObject | null)[];
  /** Which N is the crasher; null when none of them is known to be. */
  crashedIndex: number | null;
}

const NO_DETAIL: ContainerDetail = { logPath: "", pid: null };
/** Of a log: the container that crashed is whom the report is about. */
const CRASHED_LOG_MAX_BYTES = 512 * 2 ** 10;
const LOG_MAX_BYTES = 256 * 2 ** 10;
const LOG_LONG_BYTES = 128 * 2 ** 10;
/** More than any pod of flesh and blood has; dead predecessors count too. */
const CONTAINERS_MAX = 32;
/** A pod may have 256 KiB of annotations; the runtime tells of them again in its own description. */
const POD_JSON_MAX_BYTES = 272 * 2 ** 10;
const RUNTIME_JSON_MAX_BYTES = 192 * 2 ** 10;
const PS_JSON_MAX_BYTES = 128 * 2 ** 10;
const IMAGE_JSON_MAX_BYTES = 64 * 2 ** 10;

/** The three files that a pod would have, for a crash whose pod cannot be had, or not more of it (contract: `{}`). */
export function emptyPodEntries(writer: JsonEntries, pod: JsonObject = {}): DumpEntry[] {
  return [
    writer.entry(POD_INFO_SUFFIX, pod, POD_JSON_MAX_BYTES),
    writer.entry(RUNTIME_INFO_SUFFIX, {}, RUNTIME_JSON_MAX_BYTES),
    writer.entry(PS_INFO_SUFFIX, {}, PS_JSON_MAX_BYTES),
  ];
}

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
  // The crasher's own files first: where time or room runs out, the others' are missing.
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

/** As the runtime lists them; the crasher, if it would be beyond the numbered ones or the answer's end, comes first. */
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

/** Those that get no numbered files. */
function recordLeftOut(listed: readonly JsonObject[], steps: Steps): void {
  const names = listed.slice(CONTAINERS_MAX).map((item) => textAt(item, "metadata", "name"));
  if (names.length === 0) return;
  const which = `containers ${CONTAINERS_MAX} to ${listed.length - 1}`;
  steps.record(
    which,
    `only ${CONTAINERS_MAX} of ${listed.length} are taken, not ${names.join(", ")}`,
  );
}

/** With the crashed container first, where the runtime lists it no longer. */
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

/** The log file, else what the runtime itself tells of it, else nothing. */
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
  // The windows that a long log was read through are several times its size.
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
      suffix: suffix.replace(CRASH_PROC_PREFIX, prefix),
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

/** Throws where pid is another's than the container's by now. */
function pinInContainer(procDir: string, pid: number, containerId: string): PinnedThread {
  const thread = pinThread(procDir, findLiveThread(procDir, pid), null);
  const identity = parseCgroup(readCgroup(procDir, thread));
  if (identity.kind !== "container" || identity.containerId !== containerId)
    throw new Error(`process ${pid} is not in container ${containerId}`);
  return thread;
}

/** The event file's image_list: each image by its digest, else by its tag, else by its id. */
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
