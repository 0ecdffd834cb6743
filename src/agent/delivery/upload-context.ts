// What every step of one upload works with.
import type { Log } from "../../host/log.ts";
import type { Dump, ObjectStore } from "../../store/object-store.ts";
import type { Journal } from "./journal.ts";

export interface UploadContext {
  store: ObjectStore;
  dump: Dump;
  /** Changed in place; save() makes the change last. */
  journal: Journal;
  save: () => Promise<void>;
  log: Log;
  signal: AbortSignal;
}
