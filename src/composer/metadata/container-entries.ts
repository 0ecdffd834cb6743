// Makes the numbered files of one container: its log, its image and, where wanted, its main process's /proc files
// (docs/contract.md, section 6).
import { parseCgroup } from "../../model/cgroup-path.ts";
import {
  CRASH_PROC_FOLDER,
  imageInfoSuffix,
  logSuffix,
  procFolder,
  type DumpEntry,
} from "../../model/dump-entries.ts";
import { textAt, type JsonObject } from "../../model/json.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { readLogTail } from "./container-log.ts";
import type { JsonEntries } from "./json-entries.ts";
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

const NO_DETAIL: ContainerDetail = { logPath: "", pid: null };
/** The longest log of the crashed container, which the report is about. */
const CRASHED_LOG_MAX_BYTES = 512 * 2 ** 10;
const LOG_MAX_BYTES = 256 * 2 ** 10;
const LOG_LONG_BYTES = 128 * 2 ** 10;
const IMAGE_JSON_MAX_BYTES = 64 * 2 ** 10;

/** Collects the files of the container with this number. Records what is missing. Never throws. */
export async function containerEntries(
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
