// The story of one upload: find a free key, send the dump there (whole, or in parts that were not sent
// yet), verify what stands there. Retries of single requests are retry.ts's, the local file delivery.ts's.
import type { Log } from "../../host/log.ts";
import { describeError } from "../../model/app-error.ts";
import { keyWithSuffix } from "../../model/object-key.ts";
import { portableKey } from "../../model/portable-name.ts";
import type { Journal } from "./journal.ts";
import { sendParts } from "./multipart-upload.ts";
import type { Dump, Evidence, ObjectStore, Presence } from "./object-store.ts";
import { withRetries } from "./retry.ts";
import { failureOf, StoreError } from "./store-error.ts";

export interface UploadContext {
  store: ObjectStore;
  dump: Dump;
  /** Changed in place; save() makes the change last. */
  journal: Journal;
  save: () => Promise<void>;
  log: Log;
  signal: AbortSignal;
}

const SUFFIXES_MAX = 1000;

/**
 * Delivers the dump and returns its key once the store shows the whole of it there. Where the store refuses the key for
 * its name, a plainer one takes its place. Throws StoreError.
 */
export async function uploadDump(context: UploadContext): Promise<string> {
  const { journal, store, log, save } = context;
  try {
    return await uploadToFreeKey(context);
  } catch (error) {
    const plainer = portableKey(journal.key);
    if (failureOf(error) !== "name_refused" || plainer === journal.key) throw error;
    const said = { key: journal.key, instead: plainer, error: describeError(error) };
    log.warn("key_refused", { ...said, store: store.name });
    Object.assign(journal, { key: plainer, suffix: 0 });
    await save();
    return await uploadToFreeKey(context);
  }
}

async function uploadToFreeKey(context: UploadContext): Promise<string> {
  const { journal, store, log } = context;
  for (; journal.suffix < SUFFIXES_MAX; journal.suffix++) {
    const key = keyWithSuffix(journal.key, journal.suffix);
    if ((await deliverTo(key, context)) === "delivered") return key;
    log.warn("key_taken", { key, store: store.name });
  }
  throw new StoreError("exists", `${SUFFIXES_MAX} other objects stand at ${journal.key}`);
}

/** "taken": a different object stands there, and stays as it is. */
async function deliverTo(key: string, context: UploadContext): Promise<"delivered" | "taken"> {
  const resuming = context.journal.upload?.key === key;
  if (!resuming) {
    const before = await look(key, undefined, context);
    if (before === "same") return "delivered";
    if (before === "different") return "taken";
  }
  let evidence = await send(key, context);
  let after = await look(key, evidence, context);
  if (evidence === undefined && after === "absent") {
    // The store had forgotten the upload that was to go on, and nothing stands there: from the beginning.
    evidence = await send(key, context);
    after = await look(key, evidence, context);
  }
  if (after === "same") return "delivered";
  // Someone else's object came first.
  if (evidence === undefined && after === "different") return "taken";
  // A policy that lets us write and not look: the store's own answer to the write is the proof.
  if (after === "unreadable" && evidence?.answeredRight === true) return "delivered";
  const what = after === "unreadable" ? "cannot be looked at" : `is ${after}`;
  throw new StoreError("unverified", `after the upload of ${key} the object ${what}`, {
    hint: "the file is kept and sent again; s3:GetObject and s3:ListBucket are needed to verify",
  });
}

function look(
  key: string,
  known: Evidence | undefined,
  { store, dump, signal, log }: UploadContext,
): Promise<Presence> {
  return withRetries(() => store.examine(key, dump, known, signal), { signal, log });
}

/** Undefined: the store says that the key is taken, or a lost answer leaves open whether we took it. */
async function send(key: string, context: UploadContext): Promise<Evidence | undefined> {
  const { store, dump, signal, log } = context;
  try {
    if (store.multipart !== undefined && store.multipart.plan(dump.sizeBytes).partCount > 1)
      return await sendParts(key, store.multipart, context);
    return await withRetries(() => store.put(key, dump, signal), { signal, log });
  } catch (error) {
    if (failureOf(error) === "exists") return undefined;
    throw error;
  }
}
