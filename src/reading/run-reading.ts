// The commands that read dumps, in the manner of coredumpctl: each one wired, nothing decided. Each returns the exit
// code and throws AppError.
import { basename } from "node:path";
import { readAgentSettings } from "../config/agent-settings.ts";
import { EXIT } from "../model/app-error.ts";
import { formatBytes } from "../model/byte-text.ts";
import { oneLine, printableJson } from "../model/printable.ts";
import { portableFileName } from "../model/portable-name.ts";
import type { ProcessEnvironment } from "../host/process-environment.ts";
import { openFileSource } from "../store/byte-source.ts";
import { debugDump } from "./debug.ts";
import { findEntry, openDumpZip, type DumpZip } from "./dump-zip.ts";
import { extractToFile, extractToStdout, fileNameOf } from "./extract.ts";
import { explainFile, explainShortly, terminalColumns } from "./explain-file.ts";
import { formatExplanation } from "./explanation.ts";
import { fetchDump } from "./fetch.ts";
import { formatInfo, readInfo } from "./info.ts";
import { formatList, listDumps, type ListOptions } from "./list.ts";
import { openDirectoryReader } from "../store/directory/directory-reader.ts";
import { openStoreReader } from "../store/open-store.ts";
import type { StoreReader } from "../store/store-port.ts";

const STDOUT = "-";

export interface ListRequest extends ListOptions {
  /** A folder instead of CORE_DIR or the store. */
  folder: string | undefined;
  store: boolean;
  json: boolean;
}

/** The dumps in a folder, in CORE_DIR or in the store. */
export async function runList(
  request: ListRequest,
  environment: ProcessEnvironment,
): Promise<number> {
  const dumps = await openListed(request, environment);
  try {
    const listed = await listDumps(dumps, request);
    if (request.json) print(`${printableJson(listed, 2)}\n`);
    else
      print(listed.length === 0 ? `${oneLine(`no dumps in ${dumps.name}`)}\n` : formatList(listed));
    return EXIT.done;
  } finally {
    dumps.close();
  }
}

async function openListed(
  { folder, store }: ListRequest,
  environment: ProcessEnvironment,
): Promise<StoreReader> {
  if (folder !== undefined) return openDirectoryReader(folder);
  const settings = readAgentSettings(environment);
  return store ? openStoreReader(settings) : openDirectoryReader(settings.CORE_DIR);
}

export interface OutputRequest {
  /** Undefined: named like what is written, in the working directory; "-" is stdout. */
  output: string | undefined;
  /** Over an existing file. */
  force: boolean;
}

/** A dump out of the store. */
export async function runFetch(
  { key, output, force }: OutputRequest & { key: string },
  environment: ProcessEnvironment,
): Promise<number> {
  const dumps = await openStoreReader(readAgentSettings(environment));
  try {
    const path = output ?? portableFileName(basename(key));
    const { sizeBytes, resumedAtBytes } = await fetchDump(dumps, key, path, force);
    const resumed = resumedAtBytes === 0 ? "" : `, resumed at ${formatBytes(resumedAtBytes)}`;
    print(`${oneLine(path)}  ${formatBytes(sizeBytes)}, verified${resumed}\n`);
    return EXIT.done;
  } finally {
    dumps.close();
  }
}

/** Who crashed, and what the dump holds. */
export async function runInfo(file: string, json: boolean): Promise<number> {
  return withZip(file, async (zip) => {
    const info = await readInfo(zip);
    print(json ? `${printableJson(info, 2)}\n` : formatInfo(zip, info, await explainShortly(zip)));
    return EXIT.done;
  });
}

/** Why it crashed, of a dump or any core; sysroot and modules are folders with what was mapped. */
export async function runExplain(
  file: string,
  { json, ...places }: { sysroot: string | undefined; modules: string | undefined; json: boolean },
): Promise<number> {
  const summary = await explainFile(file, places);
  print(json ? `${printableJson(summary, 2)}\n` : formatExplanation(summary, terminalColumns()));
  return EXIT.done;
}

/** The debugger's own exit code where it ran. */
export async function runDebug(file: string, debuggerArgs: readonly string[]): Promise<number> {
  return withZip(file, (zip) => debugDump(zip, debuggerArgs));
}

/** The core, or another entry, into a file or to stdout. */
export async function runExtract(
  file: string,
  request: OutputRequest & { entry: string | undefined },
): Promise<number> {
  return withZip(file, (zip) => extractFrom(zip, request));
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

async function withZip<T>(file: string, run: (zip: DumpZip) => Promise<T>): Promise<T> {
  const source = await openFileSource(file);
  try {
    return await run(await openDumpZip(source));
  } finally {
    await source.close();
  }
}

function print(text: string): void {
  process.stdout.write(text);
}
