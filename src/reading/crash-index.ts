// A store's index, read: which crash belongs to which dump. A dump that the index does not have is read itself, so that
// lists are whole whether an index is there, is younger than the dumps, or is not.
import { INDEX_VERSION, parseIndexKey } from "../model/crash-index.ts";
import { DUMP_HEAD_BYTES, parseDumpHead } from "../model/dump-head.ts";
import type { KnownInfo } from "../model/dump-info.ts";
import { infoOf, type IndexedCrash } from "../model/indexed-crash.ts";
import type { StoreReader } from "../store/store-port.ts";

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

/** How many first bytes are read of a dump that the index does not have. */
const HEAD_BYTES = Math.min(17 * 1024, DUMP_HEAD_BYTES);

/** Reads what a dump's head tells; {} where it has no dump-info. */
export async function readHead(store: StoreReader, key: string): Promise<KnownInfo> {
  return parseDumpHead(await store.head(key, HEAD_BYTES)) ?? {};
}

/** Returns what tells a dump's facts: the index, else its head. */
export function factsBy({ crashes }: ReadIndex, store: StoreReader) {
  return async (key: string): Promise<KnownInfo> => {
    const crash = crashes.get(key);
    return crash === undefined ? readHead(store, key) : infoOf(crash);
  };
}
