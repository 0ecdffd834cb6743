// A delivered dump's entry in the store's index, where the owner wants one (STORE_INDEX): an empty object whose name
// tells the crash. It costs no dump: a failure is logged, and `index rebuild` makes up for it.
import type { StoreSettings } from "../../config/store-settings.ts";
import type { Log } from "../../host/log.ts";
import { describeError } from "../../model/app-error.ts";
import { formatIndexKey } from "../../model/crash-index.ts";
import type { KnownInfo } from "../../model/dump-info.ts";
import { indexedCrash } from "../../model/indexed-crash.ts";
import { withRetries } from "../../store/retry.ts";
import type { StoreWriter } from "../../store/store-port.ts";

/** How long one entry may take in all; the dump is at the store by then, and others wait. */
const ENTRY_MAX_MS = 30_000;

/** What the entry is made of. */
export interface DeliveredDump {
  info: KnownInfo;
  key: string;
  zipBytes: number;
}

/** Writes the entry. Never throws. */
export async function writeIndexEntry(
  { info, key, zipBytes }: DeliveredDump,
  store: Pick<StoreWriter, "mark" | "name">,
  { STORE_INDEX, STORE_INDEX_PREFIX }: Pick<StoreSettings, "STORE_INDEX" | "STORE_INDEX_PREFIX">,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<void> {
  if (!STORE_INDEX) return;
  const crash = indexedCrash(info, { key, zipBytes, nowSeconds: Date.now() / 1000 });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ENTRY_MAX_MS)]);
  try {
    const name = formatIndexKey(STORE_INDEX_PREFIX, crash);
    await withRetries(() => store.mark(name, limit), { signal: limit, log });
  } catch (error) {
    log.warn("index_not_written", { key, store: store.name, error: describeError(error) });
  }
}
