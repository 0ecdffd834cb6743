// `explain`: gets the summary of a core or a dump: the one in the dump, or one that it makes with the modules at hand.
import { explainCore } from "../explain/explain.ts";
import { openLocalModules, type ModulePlaces } from "../host/local-modules.ts";
import { AppError, describeError } from "../model/app-error.ts";
import { parseCrashSummary } from "../model/crash-summary-json.ts";
import { SUMMARY_SUFFIX } from "../model/dump-entries.ts";
import type { CrashSummary } from "../model/crash-summary.ts";
import { isDeeperThan, type Json } from "../model/json.ts";
import type { BoundedEntry } from "../model/zip-bounds.ts";
import { openFileSource } from "../store/byte-source.ts";
import { DEFAULT_COLUMNS, formatShortExplanation } from "./explanation.ts";
import { openCoreFile, openZippedCore, type CoreBytes } from "./core-bytes.ts";
import { findCore, openDumpZip, readSmallEntry, type DumpZip } from "./dump-zip.ts";
import { readInfo } from "./info.ts";

const ELF_MAGIC = 0x7f454c46;
const SUMMARY_MAX_BYTES = 4 << 20;
const SUMMARY_MAX_DEPTH = 16;
const LOG_MAX_BYTES = 16 << 20;

/** Explains a core file or a zip. Throws AppError where it is neither. */
export async function explainFile(path: string, places: ModulePlaces): Promise<CrashSummary> {
  const source = await openFileSource(path);
  try {
    const head = await source.read(0, 4);
    if (head.length === 4 && head.readUInt32BE(0) === ELF_MAGIC)
      return summarize(openCoreFile(path), "", places);
    const zip = await openDumpZip(source);
    const isAsked = places.sysroot !== undefined || places.modules !== undefined;
    const stored = isAsked ? undefined : await readSummary(zip);
    return stored ?? (await explainZip(zip, places));
  } finally {
    await source.close();
  }
}

/** Explains a dump. Unpacks at most maxCoreBytes of a compressed core. Throws AppError for a damaged dump. */
export async function explainZip(
  zip: DumpZip,
  places: ModulePlaces,
  maxCoreBytes?: number,
): Promise<CrashSummary> {
  const core = await openZippedCore(zip, findCore(zip), maxCoreBytes);
  return summarize(core, await readLog(zip), places);
}

/** Reads the dump's own summary; undefined where there is none that can be parsed. */
export async function readSummary(zip: DumpZip): Promise<CrashSummary | undefined> {
  const entry = zip.entries.find(({ name }) => name.endsWith(SUMMARY_SUFFIX));
  if (entry === undefined || entry.sizeBytes > SUMMARY_MAX_BYTES) return undefined;
  try {
    const json = JSON.parse((await readSmallEntry(zip, entry)).toString("utf8")) as Json;
    return isDeeperThan(json, SUMMARY_MAX_DEPTH) ? undefined : parseCrashSummary(json);
  } catch (error) {
    if (error instanceof AppError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The longest core that `info` unpacks whole; of a longer one it reads only the head. */
const SHORT_MAX_BYTES = 64 << 20;
const SHORT_FRAMES = 8;

/**
 * Returns the lines for `info`, from the dump's summary, else from what the core tells quickly; none where neither
 * works.
 */
export async function explainShortly(zip: DumpZip): Promise<string[]> {
  try {
    const summary = (await readSummary(zip)) ?? (await explainZip(zip, {}, SHORT_MAX_BYTES));
    if (summary.crashing_thread === null) return [];
    return formatShortExplanation(summary, terminalColumns(), SHORT_FRAMES);
  } catch (error) {
    // `info` has its own lines for a damaged core and for a file that is no core.
    if (error instanceof AppError) return [];
    throw error;
  }
}

/** Returns the terminal's width in columns, or the default where stdout is no terminal. */
export function terminalColumns(): number {
  return process.stdout.isTTY ? process.stdout.columns : DEFAULT_COLUMNS;
}

function summarize(core: CoreBytes, log: string, places: ModulePlaces): CrashSummary {
  const modules = openLocalModules(places);
  try {
    const summary = explainCore({ core, modules, log });
    if (core.trouble !== null) summary.incomplete.unshift({ what: "core", why: core.trouble });
    return summary;
  } finally {
    modules.close();
    core.close();
  }
}

/** Reads the log of the crashed container; "" where there is none or the container is unknown. */
export async function readLog(zip: DumpZip): Promise<string> {
  try {
    const entry = logEntry(zip, (await readInfo(zip))["container_index"]);
    if (entry === undefined || entry.sizeBytes > LOG_MAX_BYTES) return "";
    return (await readSmallEntry(zip, entry)).toString("utf8");
  } catch (error) {
    if (error instanceof AppError) return "";
    throw new AppError("archive", describeError(error), { cause: error });
  }
}

function logEntry({ entries }: DumpZip, index: unknown): BoundedEntry | undefined {
  const logs = entries.filter(({ name }) => name.endsWith(".log"));
  if (typeof index === "number") return logs.find(({ name }) => name.endsWith(`-${index}.log`));
  return logs.length === 1 ? logs[0] : undefined;
}
