// The story of one upload: find a free key, send the dump there (whole, or in parts that were not sent
// yet), verify what stands there. Retries of single requests are retry.ts's, the local file delivery.ts's.
import { describeError } from "../../model/app-error.ts";
import { keyWithSuffix } from "../../model/object-key.ts";
import { portableKey } from "../../model/portable-name.ts";
import { proofAt } from "./journal.ts";
import { sendParts } from "./multipart-upload.ts";
import type { UploadContext } from "./upload-context.ts";
import type { Presence, Proof, Receipt, StoreWriter } from "../../store/store-port.ts";
import { withRetries } from "../../store/retry.ts";
import { failureOf, otherBytes, StoreError, type StoreFailure } from "../../store/store-error.ts";

const SUFFIXES_MAX = 1000;
/** A store that refuses a key does not always say that it is for its name. */
const NAME_MAY_BE_WHY: ReadonlySet<StoreFailure | undefined> = new Set(["name_refused", "refused"]);

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
    const mayHelp = plainer !== journal.key && journal.upload === null;
    if (!mayHelp || !NAME_MAY_BE_WHY.has(failureOf(error))) throw error;
    const said = { key: journal.key, instead: plainer, error: describeError(error) };
    log.warn("key_refused", { ...said, store: store.name });
    // Under a name that it refuses the store has begun no upload either.
    Object.assign(journal, { key: plainer, suffix: 0, opening: null });
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
  const { journal, store } = context;
  const proof = proofAt(journal, key);
  const resuming = journal.upload?.key === key;
  const before = resuming ? undefined : await look(key, proof, context);
  if (before === "same") return "delivered";
  if (before === "different") return "taken";
  // It is there, and cannot be proven: another copy could not be either.
  if (before === "unreadable" && proof !== undefined) throw unproven(key, before, store);
  const replaces = before === "damaged";
  const lookAgain = (after: Sent) =>
    look(key, receiptIn(after)?.proof ?? proofAt(journal, key), context);
  let sent = await send(key, replaces, context);
  let after = await lookAgain(sent);
  if (sent === "gone" && (after === "absent" || after === "unreadable")) {
    // The store had forgotten the upload that was to go on, and nothing stands there: from the beginning.
    sent = await send(key, replaces, context);
    after = await lookAgain(sent);
  }
  if (after === "same") return "delivered";
  // Someone else's object came first, or one of ours whose answer was lost and which we may not look at.
  const receipt = receiptIn(sent);
  if (receipt === undefined && after === "different") return "taken";
  if (sent === "exists" && after === "unreadable") return "taken";
  // A policy that lets us write and not look: the store's own answer to the write is the proof.
  if (after === "unreadable" && receipt?.isSufficient === true) return "delivered";
  throw unproven(key, after, store);
}

function unproven(
  key: string,
  presence: Exclude<Presence, "same">,
  { rightsToLook }: StoreWriter,
): StoreError {
  if (presence === "damaged") return otherBytes(`after the upload of ${key} the store has`);
  const what = presence === "unreadable" ? "cannot be looked at" : `is ${presence}`;
  return new StoreError("unverified", `after the upload of ${key} the object ${what}`, {
    hint: `the file is kept; ${rightsToLook} are needed to verify what was sent`,
  });
}

type Sent = Receipt | "gone" | "exists";

function receiptIn(sent: Sent): Receipt | undefined {
  return typeof sent === "string" ? undefined : sent;
}

function look(
  key: string,
  proof: Proof | undefined,
  { store, dump, signal, log }: UploadContext,
): Promise<Presence> {
  return withRetries(() => store.examine(key, dump, proof, signal), { signal, log });
}

/** "exists": the key is taken, by us perhaps, where an answer was lost. "gone" is sendParts()'s. */
async function send(key: string, replaces: boolean, context: UploadContext): Promise<Sent> {
  const { store, dump, journal, save, signal, log } = context;
  let sent: Sent;
  try {
    sent =
      store.multipart !== undefined && store.multipart.plan(dump.sizeBytes).partCount > 1
        ? await sendParts(key, store.multipart, context)
        : await withRetries(() => store.put(key, dump, replaces, signal), { signal, log });
  } catch (error) {
    if (failureOf(error) === "exists") return "exists";
    throw error;
  }
  const receipt = receiptIn(sent);
  if (receipt?.isNeededLater === true) {
    // Before the look, which may fail: the object could not be told from another's any more.
    journal.written = { key, proof: receipt.proof };
    await save();
  }
  return sent;
}
