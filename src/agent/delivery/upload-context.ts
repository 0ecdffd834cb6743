// What every step of one upload works with.
import type { Log } from "../../host/log.ts";
import type { Dump, StoreWriter } from "../../store/store-port.ts";
import type { Journal } from "./journal.ts";

/** What every step of one upload uses. */
export interface UploadContext {
  store: StoreWriter;
  dump: Dump;
  /** The steps change the journal in place and write it with save(). */
  journal: Journal;
  save: () => Promise<void>;
  log: Log;
  signal: AbortSignal;
}
