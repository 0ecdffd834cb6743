// `list`: finds the dumps of a folder or a store that a person asks for, in the order of their crashes. What is known of
// each comes from the store's index, else from the dump-info at the head of the zip; nothing else of the zip is read.
import { dayOf } from "../model/crash-index.ts";
import { bareSignalName } from "../model/signal-name.ts";
import type { StoredDump, StoreReader } from "../store/store-port.ts";
import { factsBy, readIndex } from "./crash-index.ts";
import { readDumpFacts, type DumpFacts, type DumpState } from "./dump-state.ts";

/** How many heads are read at once, because a store answers many small requests faster side by side. */
const READERS = 8;

/** Which dumps to list. A text that is "" or not set keeps all. */
export interface ListOptions {
  prefix: string;
  /** Leaves out crashes before this moment, in ms since the epoch; 0 keeps all. */
  sinceMs: number;
  /** Leaves out crashes from this moment on, in ms since the epoch. */
  untilMs?: number;
  namespace: string;
  pod?: string;
  container?: string;
  exe?: string;
  /** SIGSEGV, segv or 11. */
  signal?: string;
}

/**
 * One line of the list, and an object of `list --json`, which is stable (docs/reading-dumps.md). What dump-info has too is
 * called as there.
 */
export interface ListedDump {
  key: string;
  zip_bytes: number;
  /** When it crashed; of a foreign file, when it was written. */
  time: string;
  /** When the zip was written, to the millisecond; it decides between crashes of one second. */
  written: string;
  namespace: string | null;
  podname: string | null;
  container_name: string | null;
  exe: string;
  /** In the process's own pid namespace; null where it is not known: an index does not have it. */
  real_pid: string | null;
  signal_name: string;
  core_bytes: number | null;
  core_complete: boolean | null;
  state: DumpState;
  /** Why it crashed, in one line, and which bug it is; null where no summary was made. */
  title: string | null;
  bug: string | null;
}

/**
 * Lists the dumps of a store. `indexPrefix` is where the store's index stands; without it the dumps themselves are read.
 * Throws StoreError or AppError where it cannot be read.
 */
export async function listDumps(
  dumps: StoreReader,
  options: ListOptions,
  indexPrefix = "",
): Promise<ListedDump[]> {
  const listed: ListedDump[] = [];
  const factsOf =
    indexPrefix === ""
      ? (dump: StoredDump) => readDumpFacts(dumps, dump)
      : factsBy(await readIndex(dumps, indexPrefix, dayOf(options.sinceMs / 1000)), dumps);
  const names = dumps.list(options.prefix, indexPrefix === "" ? undefined : indexPrefix);
  const reader = async () => {
    // All readers share one generator, and each takes the next name.
    for (let next = await names.next(); next.done !== true; next = await names.next()) {
      // A dump is written after its crash, so one that was stored before the moment crashed before it.
      if (next.value.modifiedMs < options.sinceMs) continue;
      const dump = describe(next.value, await factsOf(next.value));
      if (isWanted(dump, options)) listed.push(dump);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return listed.sort(
    (a, b) =>
      a.time.localeCompare(b.time) ||
      a.written.localeCompare(b.written) ||
      a.key.localeCompare(b.key),
  );
}

function isWanted(dump: ListedDump, options: ListOptions): boolean {
  const { sinceMs, untilMs = Infinity, namespace, pod, container, exe, signal } = options;
  const fits = (wanted: string | undefined, found: string | null) =>
    wanted === undefined || wanted === "" || wanted === found;
  const crashedMs = Date.parse(dump.time);
  return (
    crashedMs >= sinceMs &&
    crashedMs < untilMs &&
    fits(namespace, dump.namespace) &&
    fits(pod, dump.podname) &&
    fits(container, dump.container_name) &&
    fits(exe, dump.exe) &&
    (signal === undefined ||
      signal === "" ||
      bareSignalName(signal) === bareSignalName(dump.signal_name))
  );
}

function describe(
  { key, sizeBytes, modifiedMs }: StoredDump,
  { info, state }: DumpFacts,
): ListedDump {
  const crashedMs = Number(info.timestamp ?? Number.NaN) * 1000;
  const timeMs = crashedMs > 0 && crashedMs < 8e15 ? crashedMs : modifiedMs;
  return {
    key,
    zip_bytes: sizeBytes,
    time: new Date(timeMs).toISOString(),
    written: new Date(modifiedMs).toISOString(),
    namespace: info.namespace ?? null,
    podname: info.podname ?? null,
    container_name: info.container_name ?? null,
    exe: info.exe ?? "",
    real_pid: info.real_pid || null,
    signal_name: info.signal_name ?? info.signal ?? "",
    core_bytes: info.core_bytes ?? null,
    core_complete: info.core_complete ?? null,
    state,
    title: info.title ?? null,
    bug: info.bug ?? null,
  };
}
