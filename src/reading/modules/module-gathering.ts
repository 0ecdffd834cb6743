// Gathers what `debug` and `explain` need of a crash's modules: finds what was mapped, opens the places that the
// environment names (the store, DEBUGINFOD_URLS), finds the files, and fetches their debug information.
import { describeComplaint, readSettings } from "../../config/setting.ts";
import { STORE_SETTINGS } from "../../config/store-settings.ts";
import type { ProcessEnvironment } from "../../host/process-environment.ts";
import { describeError } from "../../model/app-error.ts";
import { MODULES_SUFFIX } from "../../model/dump-entries.ts";
import { isDeeperThan, type Json } from "../../model/json.ts";
import { parseModuleList, type ListedModule } from "../../model/module-list.ts";
import type { RandomBytes } from "../../model/random-bytes.ts";
import { namesStore, openStoreReader } from "../../store/open-store.ts";
import type { StoreReader } from "../../store/store-port.ts";
import { readSmallEntry, type DumpZip } from "../dump-zip.ts";
import { findDebugInfo } from "./debug-info.ts";
import { openModuleCache, usualCacheFolder } from "./module-cache.ts";
import { searchModules, type SearchedFile } from "./module-search.ts";
import { debuginfodPlaces, storePlace, untilItFails, type RemotePlace } from "./remote-modules.ts";
import { findWanted } from "./wanted-modules.ts";

const LIST_MAX_BYTES = 4 << 20;
const LIST_MAX_DEPTH = 8;
const DEBUG_AT_ONCE = 6;

/** Where to look beside the environment's places. */
export interface GatherOptions {
  sysroot: string | undefined;
  modules: string | undefined;
  environment: ProcessEnvironment;
  /** dump-info's word on where the program was; anything, as the zip may be anybody's. */
  exePath?: unknown;
  /** False where the debugger itself asks the servers of DEBUGINFOD_URLS for debug information, as it needs it. */
  asksServersForDebugInfo: boolean;
  /** Gets one line for each thing that a person should know. */
  say: (line: string) => void;
}

/** What was found. */
export interface GatheredModules {
  files: SearchedFile[];
  /** Paths of separate debug information, by build-id. */
  debugFiles: Map<string, string>;
  /** The store with the modules' prefix in it; undefined where the environment names none. */
  store: { reader: StoreReader; prefix: string } | undefined;
  close(): void;
}

/** Gathers the modules of a core. Throws Malformed for what is no core of a known kind. */
export async function gatherModules(
  core: RandomBytes,
  listed: readonly ListedModule[],
  options: GatherOptions,
): Promise<GatheredModules> {
  const { environment, say, sysroot, modules } = options;
  const wanted = findWanted(core, listed, options.exePath);
  const cache = openModuleCache(usualCacheFolder(environment));
  const store = await openStore(environment, say);
  const guarded = (places: readonly RemotePlace[]) =>
    places.map((place) => untilItFails(place, say));
  const ours = guarded(store === undefined ? [] : [storePlace(store.reader, store.prefix)]);
  const servers = guarded(debuginfodPlaces(environment["DEBUGINFOD_URLS"] ?? ""));
  const remotes = [...ours, ...servers];
  const files = await searchModules(wanted, { sysroot, modules, cache, remotes });
  const debugPlaces = options.asksServersForDebugInfo ? remotes : ours;
  const debugFiles = new Map<string, string>();
  const builds = new Set(
    files.flatMap(({ path, wanted: { buildId } }) => (path === undefined ? [] : (buildId ?? []))),
  );
  const left = [...builds];
  const worker = async () => {
    for (let buildId = left.pop(); buildId !== undefined; buildId = left.pop()) {
      const path = await findDebugInfo(buildId, cache, debugPlaces);
      if (path !== undefined) debugFiles.set(buildId, path);
    }
  };
  await Promise.all(Array.from({ length: DEBUG_AT_ONCE }, worker));
  return { files, debugFiles, store, close: () => store?.reader.close() };
}

async function openStore(
  environment: ProcessEnvironment,
  say: (line: string) => void,
): Promise<GatheredModules["store"]> {
  const { values, complaints } = readSettings(STORE_SETTINGS, environment);
  if (complaints.length > 0) {
    say(`the store is not asked for modules: ${complaints.map(describeComplaint).join("; ")}`);
    return undefined;
  }
  if (!namesStore(values)) return undefined;
  try {
    return { reader: await openStoreReader(values), prefix: values.STORE_MODULE_PREFIX };
  } catch (error) {
    say(`the store is not asked for modules: ${describeError(error)}`);
    return undefined;
  }
}

/** Reads the dump's list of modules; empty for a dump without one, or with one that cannot be read. */
export async function readModuleList(zip: DumpZip): Promise<ListedModule[]> {
  const entry = zip.entries.find(({ name }) => name.endsWith(MODULES_SUFFIX));
  if (entry === undefined || entry.sizeBytes > LIST_MAX_BYTES) return [];
  try {
    const json = JSON.parse((await readSmallEntry(zip, entry)).toString("utf8")) as Json;
    return isDeeperThan(json, LIST_MAX_DEPTH) ? [] : (parseModuleList(json) ?? []);
  } catch {
    return [];
  }
}
