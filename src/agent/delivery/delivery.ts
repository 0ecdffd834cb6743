// One finished zip → the store: lock, journal, upload, verification, and only then the local delete. The sweep decides
// which zips are tried, and when. Delivery never gives up a file.
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { StoreSettings } from "../../config/store-settings.ts";
import { exists, removeFile, syncDirectory } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { describeError } from "../../model/app-error.ts";
import { planBackoff } from "../../model/backoff.ts";
import { renderObjectKey } from "../../model/object-key.ts";
import { removeHiddenName } from "../recovery/hidden-name.ts";
import { keyValuesOf } from "../../model/key-values.ts";
import { labelsOf, readDumpInfo } from "../../store/dump-labels.ts";
import { writeIndexEntry } from "./index-entry.ts";
import {
  isSameFile,
  journalPathOf,
  newJournal,
  readJournal,
  removeJournal,
  writeJournal,
  zipNameOf,
  type FileIdentity,
  type Journal,
} from "./journal.ts";
import { lockFile } from "./locked-file.ts";
import { releaseUploads } from "./multipart-upload.ts";
import type { Dump, StoreWriter } from "../../store/store-port.ts";
import { openStoreWriter } from "../../store/open-store.ts";
import { failureOf, StoreError } from "../../store/store-error.ts";
import { isKnownByBytes, newStoreTrust } from "./store-trust.ts";
import { uploadDump } from "./upload.ts";

/** What became of one attempt. */
export type DeliveryOutcome =
  | { kind: "delivered"; key: string; sizeBytes: number }
  /** Another process holds the file, or has just delivered it. */
  | { kind: "busy" }
  /** The file waits after a failure of its own or of the whole store. */
  | { kind: "waiting"; retryAtMs: number }
  | { kind: "failed"; error: unknown; retryAtMs: number };

/** How a file is tried. */
export interface DeliverOptions {
  /** Tries now and ignores the backoff, because somebody asked for this file. */
  ignoreBackoff?: boolean;
}

/** Delivers zips to one store. */
export interface Delivery {
  /** Returns the store's name, for the log. */
  describe(): Promise<string>;
  /**
   * Delivers one zip. Failures of the file or the store are outcomes. Throws AppError "configuration" for settings that
   * name no store.
   */
  deliver(zipPath: string, signal: AbortSignal, options?: DeliverOptions): Promise<DeliveryOutcome>;
  /** Frees the parts that uploads of vanished files left at the store. Returns how many uploads. */
  reclaim(coreDir: string, signal: AbortSignal): Promise<number>;
  close(): void;
}

/** The longest wait of a file, short enough to notice soon that a store works again. */
const FILE_BACKOFF = { baseMs: 2_000, capMs: 300_000 };
/** The longest wait of the other files while the whole store fails, instead of an attempt by each. */
const STORE_BACKOFF = { baseMs: 500, capMs: 30_000 };

/** An attempt that failed. */
interface Tried {
  zipPath: string;
  journal: Journal;
  save: () => Promise<void>;
  signal: AbortSignal;
  /** Until when the store rested, when the attempt began. */
  restedUntilMs: number;
}

/** Opens delivery; opens the store at the first zip. */
export function openDelivery(settings: StoreSettings, log: Log): Delivery {
  let store: Promise<StoreWriter> | undefined;
  let storeFailures = 0;
  let storeRestsUntilMs = 0;
  const trust = newStoreTrust();

  /** Opens the store once. Tries again the next time where that failed (a wrong setting). */
  function opened(): Promise<StoreWriter> {
    store ??= openStoreWriter(settings).catch((error: unknown) => {
      store = undefined;
      throw error;
    });
    return store;
  }

  async function deliver(
    zipPath: string,
    signal: AbortSignal,
    { ignoreBackoff = false }: DeliverOptions = {},
  ): Promise<DeliveryOutcome> {
    const target = await opened();
    if (!ignoreBackoff && storeRestsUntilMs > Date.now())
      return { kind: "waiting", retryAtMs: storeRestsUntilMs };
    const locked = await lockFile(zipPath);
    if (locked === undefined) return { kind: "busy" };
    try {
      if (locked.linkCount > 1) await removeHiddenName(zipPath, locked.identity.inode, log);
      return await deliverLocked(zipPath, locked.identity, target, signal, ignoreBackoff);
    } finally {
      await locked.release();
    }
  }

  async function deliverLocked(
    zipPath: string,
    file: FileIdentity,
    target: StoreWriter,
    signal: AbortSignal,
    ignoreBackoff: boolean,
  ): Promise<DeliveryOutcome> {
    const journalPath = journalPathOf(zipPath);
    const info = await readDumpInfo(zipPath);
    const now = Date.now();
    const values = keyValuesOf(info, { zipPath, cluster: settings.CLUSTER_NAME, nowMs: now });
    const found = await readJournal(journalPath, log);
    const isOfThisFile = found !== undefined && isSameFile(found.file, file);
    // Another dump had this name before, so its unfinished upload is of no use.
    if (found !== undefined && !isOfThisFile) await release(found, signal);
    const journal = isOfThisFile
      ? found
      : newJournal(file, renderObjectKey(settings.STORE_KEY_TEMPLATE, values));
    // After a clock was set back, a file must not wait for longer than the longest backoff.
    const waits = journal.retryAtMs > now && journal.retryAtMs - now <= FILE_BACKOFF.capMs * 12;
    if (waits && !ignoreBackoff) return { kind: "waiting", retryAtMs: journal.retryAtMs };
    let isJournalled = found !== undefined;
    const save = async () => {
      isJournalled = true;
      await writeJournal(journalPath, journal, log);
    };
    const dump: Dump = {
      path: zipPath,
      sizeBytes: file.sizeBytes,
      deliveryId: journal.deliveryId,
      labels: labelsOf(info, values, settings.STORE_TAGS),
    };
    const startedMs = performance.now();
    const restedUntilMs = storeRestsUntilMs;
    try {
      // Saves the id before any object can carry it, so that a later process knows it, unless that will know the object by
      // its bytes.
      if (!isOfThisFile && !isKnownByBytes(trust, dump)) await save();
      log.debug("upload_started", { path: zipPath, key: journal.key, bytes: file.sizeBytes });
      const key = await uploadDump({
        store: target,
        dump,
        isFirstTry: !isOfThisFile,
        trust,
        journal,
        save,
        log,
        signal,
      });
      storeFailures = 0;
      storeRestsUntilMs = 0;
      const delivered = { info, key, zipBytes: file.sizeBytes };
      await writeIndexEntry(delivered, target, settings, { log, signal });
      await (isJournalled ? forget(zipPath, journalPath, journal, signal) : removeFile(zipPath));
      log.info("upload_finished", {
        path: zipPath,
        key,
        bytes: file.sizeBytes,
        ms: Math.round(performance.now() - startedMs),
        attempt: journal.attempts + 1,
      });
      return { kind: "delivered", key, sizeBytes: file.sizeBytes };
    } catch (error) {
      return await failed(error, { zipPath, journal, save, signal, restedUntilMs });
    }
  }

  /** Deletes the zip first: a kill in between leaves a journal without a zip, which reclaim() removes. */
  async function forget(
    zipPath: string,
    journalPath: string,
    journal: Journal,
    signal: AbortSignal,
  ): Promise<void> {
    await removeFile(zipPath);
    await syncDirectory(dirname(zipPath));
    // The journal stays while the store still has an upload, for reclaim().
    if (await release(journal, signal).catch(() => false)) await removeJournal(journalPath, log);
  }

  async function failed(
    error: unknown,
    { zipPath, journal, save, signal, restedUntilMs }: Tried,
  ): Promise<DeliveryOutcome> {
    // The agent is stopping: the sent parts stay at the store, and the next start continues.
    if (signal.aborted) {
      await save();
      return { kind: "failed", error, retryAtMs: Date.now() };
    }
    const asked = error instanceof StoreError ? error.retryAfterMs : 0;
    if (error instanceof StoreError && error.storeWide) {
      // Dumps that were under way together count as one failure of the store.
      if (storeRestsUntilMs === restedUntilMs) storeFailures++;
      storeRestsUntilMs =
        Date.now() + planBackoff(storeFailures, STORE_BACKOFF, Math.random, asked);
    }
    journal.attempts++;
    journal.retryAtMs =
      Date.now() + planBackoff(journal.attempts, FILE_BACKOFF, Math.random, asked);
    journal.lastError = describeError(error).slice(0, 1000);
    await save();
    log.debug("upload_failed", {
      path: zipPath,
      key: journal.key,
      attempt: journal.attempts,
      failure: failureOf(error) ?? "file",
      error: journal.lastError,
      retry_at: new Date(journal.retryAtMs).toISOString(),
    });
    return { kind: "failed", error, retryAtMs: journal.retryAtMs };
  }

  async function release(journal: Journal, signal: AbortSignal): Promise<boolean> {
    const { multipart } = await opened();
    return multipart === undefined || releaseUploads(journal, multipart, { log, signal });
  }

  async function reclaim(coreDir: string, signal: AbortSignal): Promise<number> {
    let reclaimed = 0;
    for (const entry of await readdir(coreDir)) {
      const zipName = zipNameOf(entry);
      if (zipName === undefined || (await exists(join(coreDir, zipName)))) continue;
      if (storeRestsUntilMs > Date.now()) break;
      const journalPath = journalPathOf(join(coreDir, zipName));
      const journal = await readJournal(journalPath, log);
      // Only the journal knows of an upload, so it stays until the store has freed that.
      if (journal !== undefined && !(await release(journal, signal))) break;
      await removeJournal(journalPath, log);
      reclaimed++;
    }
    return reclaimed;
  }

  return {
    describe: async () => (await opened()).name,
    deliver,
    reclaim,
    close: () => {
      store?.then((open) => open.close()).catch(() => undefined);
      store = undefined;
    },
  };
}
