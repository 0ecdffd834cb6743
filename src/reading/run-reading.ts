// Runs the commands that read dumps, which resemble coredumpctl's. Only wires. Each returns the exit code and throws
// AppError.
import { basename, dirname, resolve } from "node:path";
import { openLog } from "../host/log.ts";
import { stopSignal } from "../host/stop-signal.ts";
import { readAgentSettings } from "../config/agent-settings.ts";
import { EXIT } from "../model/app-error.ts";
import { DUMP_HEAD_BYTES } from "../model/dump-head.ts";
import { asKnownInfo } from "../model/dump-info.ts";
import { formatBytes } from "../model/byte-text.ts";
import { oneLine, printableJson } from "../model/printable.ts";
import { portableFileName } from "../model/portable-name.ts";
import type { ProcessEnvironment } from "../host/process-environment.ts";
import { openFileSource } from "../store/byte-source.ts";
import { formatBugGroups, groupByBug } from "./bug-groups.ts";
import { debugDump, type DebugRequest } from "./debug.ts";
import { findEntry, openDumpZip, type DumpZip } from "./dump-zip.ts";
import { extractToFile, extractToStdout, fileNameOf } from "./extract.ts";
import { explainFile, explainShortly, terminalColumns } from "./explain-file.ts";
import { formatExplanation } from "./explanation.ts";
import { updateSummary } from "./explain-update.ts";
import { formatModules, showModules } from "./modules/list-modules.ts";
import { findUnusedModules } from "./modules/unused-modules.ts";
import { fetchDump, fetchToStdout } from "./fetch.ts";
import { withDumpFile, withDumpSource, withStoredDump, type DumpRequest } from "./find-dump.ts";
import { formatInfo, formatTornInfo, readCommand, readInfo } from "./info.ts";
import { listDumps, type ListedDump } from "./list.ts";
import type { ListRequest } from "./list-request.ts";
import { formatList } from "./list-table.ts";
import { openDirectoryReader } from "../store/directory/directory-reader.ts";
import { rebuildIndex } from "./index-rebuild.ts";
import { showWords } from "./progress.ts";
import { openStoreReader, openStoreWriter } from "../store/open-store.ts";
import type { StoreReader } from "../store/store-port.ts";

const STDOUT = "-";

/** Lists the dumps in a folder, in CORE_DIR or in the store. */
export async function runList(
  request: ListRequest,
  environment: ProcessEnvironment,
): Promise<number> {
  const { dumps, indexPrefix } = await openListed(request, environment);
  try {
    const listed = await listDumps(dumps, request.filter, indexPrefix);
    const text = formatListed(request, listed);
    print(text === "" && request.format !== "name" ? nothingListed(request, dumps.name) : text);
    const unreadable = listed.filter(({ state }) => state === "unreadable").length;
    if (unreadable > 0) say(`this user may not read ${unreadable} of them; root may`);
    return EXIT.done;
  } finally {
    dumps.close();
  }
}

function nothingListed({ folder, store }: ListRequest, place: string): string {
  const elsewhere =
    store || folder !== undefined ? "" : "; those that were delivered: list --store";
  return `${oneLine(`no such dumps in ${place}${elsewhere}`)}\n`;
}

/** Writes what was found in the wanted form; "" where a table would be empty. */
function formatListed(request: ListRequest, listed: readonly ListedDump[]): string {
  const { format, byBug, last, reverse, heading } = request;
  const ordered = <T>(items: readonly T[]) => (reverse ? items.toReversed() : items);
  const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
  if (byBug) {
    // Bugs come with the one of most dumps first.
    const groups = ordered(groupByBug(listed).slice(0, last));
    if (format === "json") return `${printableJson(groups, 2)}\n`;
    return groups.length === 0 ? "" : formatBugGroups(groups, { columns, heading });
  }
  const newest = ordered(last === undefined ? listed : listed.slice(-last));
  if (format === "json") return `${printableJson(newest, 2)}\n`;
  if (format === "name") return newest.map(({ key }) => `${oneLine(key)}\n`).join("");
  return newest.length === 0
    ? ""
    : formatList(newest, { columns, wide: format === "wide", heading });
}

async function openListed(
  { folder, store }: ListRequest,
  environment: ProcessEnvironment,
): Promise<{ dumps: StoreReader; indexPrefix: string }> {
  if (folder !== undefined) return { dumps: openDirectoryReader(folder), indexPrefix: "" };
  const settings = readAgentSettings(environment);
  if (!store) return { dumps: openDirectoryReader(settings.CORE_DIR), indexPrefix: "" };
  return { dumps: await openStoreReader(settings), indexPrefix: settings.STORE_INDEX_PREFIX };
}

/** Makes the index entries that the store's dumps lack. */
export async function runIndexRebuild(environment: ProcessEnvironment): Promise<number> {
  const settings = readAgentSettings(environment);
  const reader = await openStoreReader(settings);
  const writer = await openStoreWriter(settings);
  // A run that is killed loses nothing: the next one goes on.
  const { signal } = new AbortController();
  const progress = showWords();
  try {
    const { made, present, noDumps, foreign } = await rebuildIndex(
      { reader, writer },
      settings.STORE_INDEX_PREFIX,
      signal,
      (report) => progress.at(`${report.made} made, ${report.present} there`),
    );
    progress.end();
    print(
      `${oneLine(reader.name)}: ${made} entries made, ${present} were there; ${noDumps} zips are no dumps, ${foreign} names in ${settings.STORE_INDEX_PREFIX} are no entries\n`,
    );
    return EXIT.done;
  } finally {
    progress.end();
    reader.close();
    writer.close();
  }
}

/** What `serve` shows, and where. */
export interface ServeCommand {
  /** A folder in place of the store. */
  folder: string | undefined;
  port: number;
  namespaces: readonly string[];
  cacheFile: string | undefined;
}

/** Serves the pages over the store, or a folder, until a signal. */
export async function runServe(
  { folder, ...request }: ServeCommand,
  environment: ProcessEnvironment,
): Promise<number> {
  const settings = readAgentSettings(environment);
  const store =
    folder === undefined ? await openStoreReader(settings) : openDirectoryReader(resolve(folder));
  const signal = stopSignal(openLog({ level: "Error", format: "text" }));
  const { serveUntilStopped } = await import("./serve/run-serve.ts");
  try {
    const indexPrefix = settings.STORE_INDEX_PREFIX;
    const modulesPrefix = settings.STORE_MODULE_PREFIX;
    const served = { ...request, store, indexPrefix, modulesPrefix };
    await serveUntilStopped(served, signal, (url) =>
      print(`${oneLine(store.name)} is shown at ${url} (Ctrl-C ends it)\n`),
    );
    return EXIT.done;
  } finally {
    store.close();
  }
}

/** Where the output goes. */
export interface OutputRequest {
  /** A path; "-" is stdout; undefined is a file in the working directory with the name of what is written. */
  output: string | undefined;
  /** Whether to replace an existing file. */
  force: boolean;
}

/** Fetches a dump from the store. */
export async function runFetch(
  request: Pick<DumpRequest, "word" | "loadEnvironment">,
  { output, force }: OutputRequest,
): Promise<number> {
  return withStoredDump(request, async (dumps, key) => {
    if (output === STDOUT) {
      await fetchToStdout(dumps, key);
      return EXIT.done;
    }
    const path = output ?? portableFileName(basename(key));
    const { sizeBytes, resumedAtBytes } = await fetchDump(dumps, key, path, force);
    const resumed = resumedAtBytes === 0 ? "" : `, resumed at ${formatBytes(resumedAtBytes)}`;
    print(`${oneLine(path)}  ${formatBytes(sizeBytes)}, verified${resumed}\n`);
    return EXIT.done;
  });
}

/** Shows who crashed and what the dump holds; of a torn zip, what its head tells. */
export async function runInfo(request: DumpRequest, json: boolean): Promise<number> {
  return withDumpSource(request, async (source) => {
    let zip: DumpZip;
    try {
      zip = await openDumpZip(source);
    } catch (error) {
      const head = await source.read(0, DUMP_HEAD_BYTES);
      print(formatTornInfo(source.name, source.sizeBytes, head, error));
      return EXIT.failed;
    }
    const parsed = await readInfo(zip);
    if (json) print(`${printableJson(parsed, 2)}\n`);
    else {
      const command = await readCommand(zip, asKnownInfo(parsed));
      print(formatInfo(zip, parsed, { explanation: await explainShortly(zip), command }));
    }
    return EXIT.done;
  });
}

/** What `explain` explains, and how. */
export interface ExplainRequest {
  /** Folders with the mapped files. */
  sysroot: string | undefined;
  modules: string | undefined;
  json: boolean;
  /** Explains anew, with the store's modules too, and writes the summary beside the dump. */
  update: boolean;
}

/** Explains a dump or any core. */
export async function runExplain(
  request: DumpRequest,
  { json, update, ...places }: ExplainRequest,
): Promise<number> {
  const summary = await withDumpFile(request, async (path, isTemporary) => {
    if (!update) return explainFile(path, places);
    const folder = isTemporary ? "." : dirname(path);
    const environment = await request.loadEnvironment();
    const updated = await withZip(path, (zip) =>
      updateSummary(zip, folder, { ...places, environment, say }),
    );
    say(`the new summary is ${updated.path}`);
    return updated.summary;
  });
  print(json ? `${printableJson(summary, 2)}\n` : formatExplanation(summary, terminalColumns()));
  return EXIT.done;
}

/** Runs a debugger on a dump and returns the debugger's exit code where it ran. */
export async function runDebug(request: DumpRequest, wanted: DebugRequest): Promise<number> {
  return withDumpFile(request, (path) => withZip(path, (zip) => debugDump(zip, wanted)));
}

/** Lists what a crashed process had mapped, and fetches it into `output`, a new folder. */
export async function runModules(
  request: DumpRequest,
  { output, json }: { output: string | undefined; json: boolean },
): Promise<number> {
  const environment = await request.loadEnvironment();
  const shown = await withDumpFile(request, (path) =>
    withZip(path, (zip) => showModules(zip, environment, output, say)),
  );
  const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
  if (json) print(`${printableJson(shown, 2)}\n`);
  else {
    for (const { found, note } of shown) if (found === null && note !== null) say(note);
    print(formatModules(shown, columns));
  }
  return EXIT.done;
}

/** Lists the store's modules that no dump of the last STORE_MODULE_DAYS names. */
export async function runUnusedModules(
  json: boolean,
  environment: ProcessEnvironment,
): Promise<number> {
  const settings = readAgentSettings(environment);
  const store = await openStoreReader(settings);
  try {
    const { STORE_MODULE_DAYS: days, STORE_MODULE_PREFIX: prefix } = settings;
    const found = await findUnusedModules(store, prefix, Date.now() - days * 86_400_000);
    const { keys, modules, dumps } = found;
    print(json ? `${printableJson(keys, 2)}\n` : keys.map((key) => `${oneLine(key)}\n`).join(""));
    say(
      `${keys.length} of ${modules} modules are named by none of ${dumps} dumps of the last ${days} days`,
    );
    return EXIT.done;
  } finally {
    store.close();
  }
}

/** Extracts the core or another entry to a file or to stdout. */
export async function runExtract(
  request: DumpRequest,
  wanted: OutputRequest & { entry: string | undefined },
): Promise<number> {
  return withDumpZip(request, (zip) => extractFrom(zip, wanted));
}

async function extractFrom(
  zip: DumpZip,
  { entry: wanted, output, force }: OutputRequest & { entry: string | undefined },
): Promise<number> {
  const entry = findEntry(zip, wanted ?? "core");
  if (output === STDOUT) {
    await extractToStdout(zip, entry);
    return EXIT.done;
  }
  const path = output ?? fileNameOf(entry);
  await extractToFile(zip, entry, path, force);
  print(`${oneLine(path)}  ${formatBytes(entry.sizeBytes)}\n`);
  return EXIT.done;
}

async function withZip<T>(path: string, run: (zip: DumpZip) => Promise<T>): Promise<T> {
  const source = await openFileSource(path);
  try {
    return await run(await openDumpZip(source));
  } finally {
    await source.close();
  }
}

async function withDumpZip<T>(request: DumpRequest, run: (zip: DumpZip) => Promise<T>): Promise<T> {
  return withDumpSource(request, async (source) => run(await openDumpZip(source)));
}

function say(sentence: string): void {
  process.stderr.write(`core-dump-handler: ${oneLine(sentence)}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}
