// What every step of one upload works with.
import type { Log } from "../../host/log.ts";
import type { Dump, StoreWriter } from "../../store/store-port.ts";
import type { Journal } from "./journal.ts";
import type { StoreTrust } from "./store-trust.ts";

/** What every step of one upload uses. */
export interface UploadContext {
  store: StoreWriter;
  dump: Dump;
  /** No process has tried this dump before, so no object of its delivery can be in the store. */
  isFirstTry?: boolean;
  /** What is known of the store; without it every write is looked at. */
  trust?: StoreTrust;
  /** The steps change the journal in place and write it with save(). */
  journal: Journal;
  save: () => Promise<void>;
  log: Log;
  signal: AbortSignal;
}
