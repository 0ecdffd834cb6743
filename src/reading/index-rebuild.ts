// `index rebuild`: makes the index entries that a store's dumps lack. What is there already is left alone, so that a
// run that was stopped goes on where it was.
import { formatIndexKey } from "../model/crash-index.ts";
import { indexedCrash } from "../model/indexed-crash.ts";
import { openLog } from "../host/log.ts";
import { withRetries } from "../store/retry.ts";
import type { StoreReader, StoreWriter } from "../store/store-port.ts";
import { readIndex } from "./crash-index.ts";
import { readDumpFacts } from "./dump-state.ts";

/** How many dumps are read at once. */
const READERS = 16;

/** What a run found and did, in numbers of dumps; `foreign` in names. */
export interface RebuildReport {
  made: number;
  present: number;
  /** Zips without a dump-info, which are no dumps. */
  noDumps: number;
  /** Names in the index's place that are no entries. */
  foreign: number;
}

/** Makes the entries. Calls onProgress after each dump. Throws StoreError; what was made by then stays. */
export async function rebuildIndex(
  store: { reader: StoreReader; writer: StoreWriter },
  prefix: string,
  signal: AbortSignal,
  onProgress: (report: RebuildReport) => void,
): Promise<RebuildReport> {
  const { reader, writer } = store;
  const { crashes, foreign } = await readIndex(reader, prefix);
  const report: RebuildReport = { made: 0, present: 0, noDumps: 0, foreign };
  const log = openLog({ level: "Error", format: "text" });
  const dumps = reader.list("", prefix);
  const work = async () => {
    // All workers share one generator, and each takes the next dump.
    for (let next = await dumps.next(); next.done !== true; next = await dumps.next()) {
      signal.throwIfAborted();
      const { key, sizeBytes, modifiedMs } = next.value;
      if (crashes.has(key)) report.present++;
      else {
        const { info } = await readDumpFacts(reader, next.value);
        if (Object.keys(info).length === 0) report.noDumps++;
        else {
          const facts = { key, zipBytes: sizeBytes, nowSeconds: modifiedMs / 1000 };
          const name = formatIndexKey(prefix, indexedCrash(info, facts));
          await withRetries(() => writer.mark(name, signal), { signal, log });
          report.made++;
        }
      }
      onProgress(report);
    }
  };
  await Promise.all(Array.from({ length: READERS }, work));
  return report;
}
