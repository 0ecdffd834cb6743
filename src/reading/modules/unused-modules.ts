// `modules unused`: which modules of the store no dump of the last days names, so that a person may remove them.
import { parseDumpHead, DUMP_HEAD_BYTES } from "../../model/dump-head.ts";
import { parseModuleKey } from "../../model/module-id.ts";
import type { StoreReader } from "../../store/store-port.ts";
import { openDumpZip } from "../dump-zip.ts";
import { readModuleList } from "./module-gathering.ts";

/** How many dumps are read at once. */
const READERS = 8;

/** What was found. */
export interface UnusedModules {
  /** Keys of modules that no dump names. */
  keys: string[];
  /** How many modules and dumps were looked at. */
  modules: number;
  dumps: number;
}

/**
 * Lists the modules below prefix that no dump since sinceMs (ms since the epoch) names. Throws StoreError; a dump that
 * cannot be read ends the run, because its modules would be taken for unused.
 */
export async function findUnusedModules(
  store: StoreReader,
  prefix: string,
  sinceMs: number,
): Promise<UnusedModules> {
  const named = new Set<string>();
  let dumps = 0;
  const listed = store.list("");
  const reader = async () => {
    for (let next = await listed.next(); next.done !== true; next = await listed.next()) {
      if (next.value.modifiedMs < sinceMs) continue;
      dumps++;
      for (const id of await modulesOf(store, next.value.key)) named.add(id);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  const unused: UnusedModules = { keys: [], modules: 0, dumps };
  for await (const page of store.names(`${prefix}buildid/`))
    for (const key of page) {
      const parsed = parseModuleKey(key);
      if (parsed === undefined) continue;
      unused.modules++;
      if (!named.has(parsed.id)) unused.keys.push(key);
    }
  return unused;
}

/** Returns the ids that a dump names; of one with too many for its head, from its list. */
async function modulesOf(store: StoreReader, key: string): Promise<string[]> {
  const info = parseDumpHead(await store.head(key, DUMP_HEAD_BYTES));
  const { modules = [], module_count: count = null } = info ?? {};
  if (count === null || count <= modules.length) return modules;
  const source = await store.open(key);
  try {
    const all = await readModuleList(await openDumpZip(source));
    return all.flatMap(({ id }) => id ?? []);
  } finally {
    await source.close();
  }
}
