// A store's index, read: which crash belongs to which dump. A dump that the index does not have is read itself, so that
// lists are whole whether an index is there, is younger than the dumps, or is not.
import { INDEX_VERSION, parseIndexKey } from "../model/crash-index.ts";
import { infoOf, type IndexedCrash } from "../model/indexed-crash.ts";
import type { StoredDump, StoreReader } from "../store/store-port.ts";
import { readDumpFacts, stateOf, type DumpFacts } from "./dump-state.ts";

/** What stands in an index. */
export interface ReadIndex {
  /** By the dump's key. */
  crashes: ReadonlyMap<string, IndexedCrash>;
  /** Names below the index's prefix that are no entries. */
  foreign: number;
}

/** Reads the whole index, or its crashes from a day ("2026-11-25") on. Throws StoreError. */
export async function readIndex(
  store: StoreReader,
  prefix: string,
  fromDay = "",
): Promise<ReadIndex> {
  const crashes = new Map<string, IndexedCrash>();
  let foreign = 0;
  const folder = prefix + INDEX_VERSION;
  for await (const page of store.names(folder, fromDay === "" ? undefined : folder + fromDay))
    for (const name of page) {
      const crash = parseIndexKey(prefix, name);
      if (crash === undefined) foreign++;
      else if (crash.key !== "") crashes.set(crash.key, crash);
    }
  return { crashes, foreign };
}

/** Returns what tells a dump's facts: the index, else its head. */
export function factsBy({ crashes }: ReadIndex, store: StoreReader) {
  return async (dump: StoredDump): Promise<DumpFacts> => {
    const crash = crashes.get(dump.key);
    if (crash === undefined) return readDumpFacts(store, dump);
    const info = infoOf(crash);
    return { info, state: stateOf(info) };
  };
}
