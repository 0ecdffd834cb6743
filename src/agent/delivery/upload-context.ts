// What every step of one upload works with.
import type { Log } from "../../host/log.ts";
import type { Dump, StoreWriter } from "../../store/store-port.ts";
import type { Journal } from "./journal.ts";

export interface UploadContext {
  store: StoreWriter;
  dump: Dump;
  /** Changed in place; save() makes the change last. */
  journal: Journal;
  save: () => Promise<void>;
  log: Log;
  signal: AbortSignal;
}
