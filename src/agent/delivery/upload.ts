// One upload: finds a free key, sends the dump there (whole, or the parts that are missing), and verifies the object.
// src/store/retry.ts retries single requests; delivery.ts looks after the local file.
import { describeError } from "../../model/app-error.ts";
import { keyWithSuffix } from "../../model/object-key.ts";
import { portableKey } from "../../model/portable-name.ts";
import { proofAt } from "./journal.ts";
import { sendParts } from "./multipart-upload.ts";
import { isSmall, type StoreTrust } from "./store-trust.ts";
import type { UploadContext } from "./upload-context.ts";
import type { Presence, Proof, Receipt, StoreWriter } from "../../store/store-port.ts";
import { withRetries } from "../../store/retry.ts";
import { failureOf, otherBytes, StoreError, type StoreFailure } from "../../store/store-error.ts";

const SUFFIXES_MAX = 1000;
/** The failures that may be about a key's name; a store does not always give that as the reason. */
const NAME_MAY_BE_WHY: ReadonlySet<StoreFailure | undefined> = new Set(["name_refused", "refused"]);

/**
 * Delivers the dump and returns its key once the store shows the whole dump there. Takes a plainer key where the store
 * refuses the first one. Throws StoreError.
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
    // The store has begun no upload under a name that it refuses.
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

/**
 * Delivers to one key. "taken": a different object has the key and stays as it is. Throws StoreError. Dumps go through
 * uploadDump; modules, whose keys are fixed, come here.
 */
export async function deliverTo(
  key: string,
  context: UploadContext,
): Promise<"delivered" | "taken"> {
  const { journal, store, dump, trust, isFirstTry = false } = context;
  const proof = proofAt(journal, key);
  const resuming = journal.upload?.key === key;
  // The store itself looks, and refuses the write.
  const looksItself = trust?.refusesTaken === true && isFirstTry && isSmall(dump);
  const before = resuming || looksItself ? undefined : await look(key, proof, context);
  if (before === "same") return "delivered";
  if (before === "different") return "taken";
  // The object is there and cannot be proven; another copy could not be either.
  if (before === "unreadable" && proof !== undefined) throw unproven(key, before, store);
  const replaces = before === "damaged";
  const lookAgain = (after: Sent) =>
    look(key, receiptIn(after)?.proof ?? proofAt(journal, key), context);
  let sent = await send(key, replaces, context);
  const isProven = receiptIn(sent)?.isSufficient === true && store.answersDigest === true;
  const mayProve = isProven && trust !== undefined && isSmall(dump);
  if (mayProve && trust.answersProve) {
    await askWhetherTakenIsRefused(key, trust, context);
    return "delivered";
  }
  let after = await lookAgain(sent);
  if (sent === "gone" && (after === "absent" || after === "unreadable")) {
    // The store no longer knows the unfinished upload and has no object there, so the dump is sent from the beginning.
    sent = await send(key, replaces, context);
    after = await lookAgain(sent);
  }
  if (after === "same") {
    if (mayProve) trust.answersProve = true;
    return "delivered";
  }
  // Another object came first, or an earlier write's answer was lost and the store refuses to show the object.
  const receipt = receiptIn(sent);
  if (receipt === undefined && after === "different") return "taken";
  if (sent === "exists" && after === "unreadable") return "taken";
  // The policy allows writing and no looking, so the store's answer to the write is the proof.
  if (after === "unreadable" && receipt?.isSufficient === true) return "delivered";
  throw unproven(key, after, store);
}

/**
 * Asks a store once whether it refuses a taken key, by sending it a dump again that it has. A store that does not has the
 * same bytes a second time.
 */
async function askWhetherTakenIsRefused(
  key: string,
  trust: StoreTrust,
  context: UploadContext,
): Promise<void> {
  const { store, dump, signal } = context;
  if (store.isConditional !== true || trust.refusesTaken !== undefined) return;
  // The dumps that are under way meanwhile do not ask too.
  trust.refusesTaken = false;
  try {
    await store.put(key, dump, false, signal);
  } catch (error) {
    if (failureOf(error) === "exists") {
      trust.refusesTaken = true;
      return;
    }
  }
  const after = await look(key, proofAt(context.journal, key), context);
  if (after !== "same") throw unproven(key, after, store);
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

/**
 * Sends the dump. "exists": the key is taken, perhaps by an earlier write whose answer was lost. "gone" comes from
 * sendParts().
 */
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
    // Saves the proof before the look, which may fail: without the proof the object could not be recognised later.
    journal.written = { key, proof: receipt.proof };
    await save();
  }
  return sent;
}
