// Finds the dump that a person names: a file, else one in CORE_DIR, else one in the store, and hands it on as bytes or as
// a file. Only what is no file asks for settings, so that a dump on a laptop needs none.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { readAgentSettings, type AgentSettings } from "../config/agent-settings.ts";
import { exists } from "../host/files.ts";
import type { ProcessEnvironment } from "../host/process-environment.ts";
import { AppError, errnoOf } from "../model/app-error.ts";
import { parseOrdinal } from "../model/dump-ordinal.ts";
import { portableFileName } from "../model/portable-name.ts";
import { oneLine } from "../model/printable.ts";
import { openFileSource, type ByteSource } from "../store/byte-source.ts";
import { openDirectoryReader } from "../store/directory/directory-reader.ts";
import { namesStore, openStoreReader } from "../store/open-store.ts";
import type { StoreReader } from "../store/store-port.ts";
import { matchDump, nearestDumpName } from "./dump-match.ts";
import { fetchDump } from "./fetch.ts";
import { listDumps, type ListedDump } from "./list.ts";

/** What names a dump, and where the settings come from. */
export interface DumpRequest {
  word: string;
  /** Whether to look in the store alone. */
  store: boolean;
  /** Which dumps of the store come into question; "" keeps all. */
  only?: { namespace: string; bug: string } | undefined;
  loadEnvironment: () => Promise<ProcessEnvironment>;
}

/** Where a dump is. */
type FoundDump = { path: string } | { key: string; reader: StoreReader };

const ALL = { prefix: "", sinceMs: 0, namespace: "" };

/** Runs `use` with the dump's bytes. Throws AppError where no dump is named so. */
export async function withDumpSource<T>(
  request: DumpRequest,
  use: (source: ByteSource) => Promise<T>,
): Promise<T> {
  return withFoundDump(request, async (found) => {
    const source =
      "path" in found ? await openFileSource(found.path) : await found.reader.open(found.key);
    try {
      return await use(source);
    } finally {
      await source.close();
    }
  });
}

/**
 * Runs `use` with the dump's path, and whether it is only there for as long: a dump in the store is fetched into a
 * temporary folder.
 */
export async function withDumpFile<T>(
  request: DumpRequest,
  use: (path: string, isTemporary: boolean) => Promise<T>,
): Promise<T> {
  return withFoundDump(request, async (found) => {
    if ("path" in found) return use(found.path, false);
    const folder = await mkdtemp(join(tmpdir(), "core-dump-handler-"));
    try {
      const path = join(folder, portableFileName(basename(found.key)));
      await fetchDump(found.reader, found.key, path, false);
      return await use(path, true);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** Runs `use` with the key of a dump in the store, and the store. */
export async function withStoredDump<T>(
  { word, only, loadEnvironment }: Omit<DumpRequest, "store">,
  use: (reader: StoreReader, key: string) => Promise<T>,
): Promise<T> {
  const settings = readAgentSettings(await loadEnvironment());
  const reader = await openStoreReader(settings);
  try {
    return await use(reader, await keyInStore({ word, only }, reader, settings));
  } finally {
    reader.close();
  }
}

/** Returns the path of a dump of this host. Throws AppError where no file and no dump in CORE_DIR is named so. */
export async function pathOfDump({
  word,
  loadEnvironment,
}: Pick<DumpRequest, "word" | "loadEnvironment">): Promise<string> {
  if (parseOrdinal(word) === undefined && (await exists(word))) return word;
  const { CORE_DIR } = readAgentSettings(await loadEnvironment());
  const local = await listLocal(CORE_DIR);
  const match = matchDump(word, local);
  if (match === undefined) throw unknownName(word, local, CORE_DIR);
  noteChoice(word, match);
  return join(CORE_DIR, match.key);
}

async function withFoundDump<T>(
  { word, store, only, loadEnvironment }: DumpRequest,
  use: (found: FoundDump) => Promise<T>,
): Promise<T> {
  if (!store && parseOrdinal(word) === undefined && (await exists(word)))
    return use({ path: word });
  const settings = readAgentSettings(await loadEnvironment());
  const local = store || isAddress(word) ? [] : await listLocal(settings.CORE_DIR);
  const match = matchDump(word, local);
  if (match !== undefined) {
    noteChoice(word, match);
    return use({ path: join(settings.CORE_DIR, match.key) });
  }
  if (!namesStore(settings)) throw unknownName(word, local, settings.CORE_DIR);
  const reader = await openStoreReader(settings);
  try {
    return await use({ reader, key: await keyInStore({ word, only }, reader, settings) });
  } finally {
    reader.close();
  }
}

function isAddress(word: string): boolean {
  return /^[a-z][a-z0-9]*:\/\//.test(word);
}

/** Lists CORE_DIR's dumps; none where it is not there, or only root may look into it. */
async function listLocal(coreDir: string): Promise<ListedDump[]> {
  try {
    return await listDumps(openDirectoryReader(coreDir), ALL);
  } catch (error) {
    const errno = error instanceof AppError ? errnoOf(error.cause) : undefined;
    if (["ENOENT", "ENOTDIR", "EACCES"].includes(errno ?? "")) return [];
    throw error;
  }
}

/** Returns the key that a word means. A whole key costs one request, and any other word a listing. */
async function keyInStore(
  { word, only }: Pick<DumpRequest, "word" | "only">,
  reader: StoreReader,
  settings: AgentSettings,
): Promise<string> {
  const key = withoutAddress(word, settings);
  if (parseOrdinal(key) === undefined && (await hasKey(reader, key))) return key;
  const { namespace = "", bug = "" } = only ?? {};
  const all = await listDumps(reader, { ...ALL, namespace }, settings.STORE_INDEX_PREFIX);
  const listed = all.filter((dump) => bug === "" || dump.bug === bug);
  const match = matchDump(key, listed);
  if (match === undefined)
    throw unknownName(word, listed, reader.name, "core-dump-handler list --store");
  noteChoice(word, match);
  return match.key;
}

async function hasKey(reader: StoreReader, key: string): Promise<boolean> {
  return key.endsWith(".zip") && (await reader.head(key, 4)).length > 0;
}

/** Takes the store's address off the front of a key. Throws AppError "usage" for another store's. */
function withoutAddress(word: string, { STORE_URL, S3_BUCKET_NAME }: AgentSettings): string {
  if (!isAddress(word)) return word;
  const store = (STORE_URL || `s3://${S3_BUCKET_NAME}`).replace(/\/$/, "");
  if (word.startsWith(`${store}/`)) return word.slice(store.length + 1);
  throw new AppError("usage", `${word} is not in ${store}`, {
    hint: "STORE_URL or the S3 settings name the store that is asked",
  });
}

/** Says on stderr which dump was taken, where the word does not show it. */
function noteChoice(word: string, { key }: ListedDump): void {
  const isShown = key === word || basename(key).startsWith(word);
  if (!isShown) process.stderr.write(`${oneLine(`core-dump-handler: ${key}`)}\n`);
}

function unknownName(
  word: string,
  dumps: readonly ListedDump[],
  place: string,
  list = "core-dump-handler list",
): AppError {
  const nearest = nearestDumpName(word, dumps);
  return new AppError("archive", `there is no file ${word}, and no dump of that name in ${place}`, {
    hint: nearest === undefined ? `${list} shows what is there` : `did you mean ${nearest}?`,
  });
}
