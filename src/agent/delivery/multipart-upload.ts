// Sends a dump in parts and can resume at any moment: the journal has the upload's id, the store has its parts.
import { partOf, type PartPlan } from "../../model/part-plan.ts";
import { describeError } from "../../model/app-error.ts";
import { proofAt, type Journal } from "./journal.ts";
import type { MultipartWriter, Receipt, StoredPart, Upload } from "../../store/store-port.ts";
import { withRetries } from "../../store/retry.ts";
import { failureOf, StoreError } from "../../store/store-error.ts";
import type { UploadContext } from "./upload-context.ts";

/** How far the store's time of an upload may be before this node's time of the request, in ms. */
const CLOCK_TOLERANCE_MS = 15 * 60_000;

/**
 * Sends the parts that the store lacks and completes the upload. "gone": the store no longer knows the upload, which is
 * also so after a completion; the caller then looks at the key. "exists": the key is taken. Throws StoreError.
 */
export async function sendParts(
  key: string,
  multipart: MultipartWriter,
  context: UploadContext,
): Promise<Receipt | "gone" | "exists"> {
  const { store, dump, journal, save, log, signal } = context;
  const plan = multipart.plan(dump.sizeBytes);
  await forgetOtherUploads(key, multipart, context);
  try {
    const { upload, stored } = await resumeOrBegin(key, plan, multipart, context);
    const parts = await sendMissing(upload, plan, stored, multipart, context);
    // Looks at the key right before the completion: the upload may have taken hours, and some stores complete one to a
    // key that is taken.
    const proof = proofAt(journal, key);
    const look = () => store.examine(key, dump, proof, signal);
    const there = await withRetries(look, { signal, log });
    if (there === "same" || there === "different")
      throw new StoreError("exists", `an object came to ${key} while it was uploaded`);
    const replaces = there === "damaged";
    const complete = () => multipart.complete(upload, dump, parts, replaces, signal);
    const receipt = await withRetries(complete, { signal, log });
    journal.upload = null;
    return receipt;
  } catch (error) {
    const failure = failureOf(error);
    const isGone = failure === "gone";
    // One of its parts is not of this dump, so nothing of the upload can be used.
    const isSpoilt = failure === "unverified";
    if (!isGone && !isSpoilt && failure !== "exists") throw error;
    const { upload } = journal;
    journal.upload = null;
    await save();
    if (!isGone && upload !== null) await abandon(upload, multipart, context);
    if (isSpoilt) throw error;
    return isGone ? "gone" : "exists";
  }
}

async function resumeOrBegin(
  key: string,
  plan: PartPlan,
  multipart: MultipartWriter,
  context: UploadContext,
): Promise<{ upload: Upload; stored: StoredPart[] }> {
  const { dump, journal, save, log, signal } = context;
  const { upload: begun } = journal;
  const stored = begun === null ? undefined : await storedParts(begun, plan, multipart, context);
  if (begun !== null && stored !== undefined) return { upload: begun, stored };
  if (begun !== null) await abandon(begun, multipart, { log, signal });
  journal.upload = null;
  // A request without an answer is looked for again when the dump is delivered.
  const wasOpening = journal.opening !== null;
  // Records the request first, so that after a kill before the answer the upload can be found.
  journal.opening ??= { key, sinceMs: Date.now() };
  await save();
  let tries = 0;
  const begin = async () => {
    // The store may have begun an upload whose answer was lost, or may begin one late.
    if (tries++ > 0) await forgetLostUpload(journal, multipart, { log, signal });
    return multipart.create(key, dump, signal);
  };
  const upload = await withRetries(begin, { signal, log });
  if (!wasOpening && tries === 1) journal.opening = null;
  journal.upload = { key, uploadId: upload.uploadId };
  await save();
  return { upload, stored: [] };
}

/**
 * Lists the parts of earlier attempts. Undefined where a policy forbids the question; then all parts are sent again.
 */
async function storedParts(
  upload: Upload,
  plan: PartPlan,
  multipart: MultipartWriter,
  { log, signal }: UploadContext,
): Promise<StoredPart[] | undefined> {
  try {
    const listed = await withRetries(() => multipart.listParts(upload, signal), { signal, log });
    const stored = listed.filter((part) => fits(part, plan));
    log.info("upload_resumed", {
      key: upload.key,
      parts: plan.partCount,
      parts_there: stored.length,
    });
    return stored;
  } catch (error) {
    if (failureOf(error) !== "forbidden") throw error;
    log.warn("parts_not_listed", { key: upload.key, error: describeError(error) });
    return undefined;
  }
}

function fits(part: StoredPart, plan: PartPlan): boolean {
  if (part.number < 1 || part.number > plan.partCount) return false;
  const { start, end } = partOf(plan, part.number);
  return part.sizeBytes === end - start;
}

/** Sends the missing parts, a few at once. The first failure stops the others. */
async function sendMissing(
  upload: Upload,
  plan: PartPlan,
  stored: readonly StoredPart[],
  multipart: MultipartWriter,
  { dump, log, signal }: UploadContext,
): Promise<StoredPart[]> {
  const parts = new Map(stored.map((part) => [part.number, part]));
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let next = 1;
  const sender = async () => {
    while (next <= plan.partCount) {
      const number = next++;
      if (parts.has(number)) continue;
      const part = partOf(plan, number);
      const send = () => multipart.uploadPart(upload, dump, part, either);
      parts.set(number, await withRetries(send, { signal: either, log }));
    }
  };
  let first: { error: unknown } | undefined;
  const senders = Array.from({ length: multipart.concurrency }, async () => {
    try {
      await sender();
    } catch (error) {
      first ??= { error };
      stop.abort();
    }
  });
  await Promise.all(senders);
  if (first !== undefined) throw first.error;
  return [...parts.values()].sort((a, b) => a.number - b.number);
}

/** Frees the uploads of earlier attempts that cannot be used. Best effort, because they only cost space. */
async function forgetOtherUploads(
  key: string,
  multipart: MultipartWriter,
  context: UploadContext,
): Promise<void> {
  const { journal, save } = context;
  if (journal.upload !== null && journal.upload.key !== key) {
    await abandon(journal.upload, multipart, context);
    journal.upload = null;
    await save();
  }
  // Keeps the note of one to this key, because a slow store may begin it after the listing.
  const isForgotten = await forgetLostUpload(journal, multipart, context);
  if (isForgotten && journal.opening?.key !== key) journal.opening = null;
}

/** Aborts the uploads in the journal of a vanished dump. Returns false where the store refuses. */
export async function releaseUploads(
  { upload, opening }: Journal,
  multipart: MultipartWriter,
  context: Pick<UploadContext, "log" | "signal">,
): Promise<boolean> {
  if (upload !== null && !(await abandon(upload, multipart, context))) return false;
  return forgetLostUpload({ upload: null, opening }, multipart, context);
}

/** Aborts the upload that a request without an answer may have begun. Returns false where the store refuses to list. */
async function forgetLostUpload(
  { opening, upload: own }: Pick<Journal, "opening" | "upload">,
  multipart: MultipartWriter,
  { log, signal }: Pick<UploadContext, "log" | "signal">,
): Promise<boolean> {
  if (opening === null) return true;
  try {
    // Only uploads to this dump's key that began after the request can be the one with the unknown id.
    let all = true;
    for (const upload of await multipart.listUploads(opening.key, signal))
      if (
        upload.uploadId !== own?.uploadId &&
        upload.initiatedMs >= opening.sinceMs - CLOCK_TOLERANCE_MS
      )
        all = (await abandon(upload, multipart, { log, signal })) && all;
    return all;
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn("orphan_uploads_not_listed", { key: opening.key, error: describeError(error) });
    return false;
  }
}

/** Aborts an upload. Logs a refusal of the store and returns false. Throws only StoreError "aborted". */
async function abandon(
  upload: Upload,
  multipart: MultipartWriter,
  { log, signal }: Pick<UploadContext, "log" | "signal">,
): Promise<boolean> {
  try {
    await withRetries(() => multipart.abort(upload, signal), { signal, log });
    log.info("upload_abandoned", { key: upload.key, upload_id: upload.uploadId });
    return true;
  } catch (error) {
    if (signal.aborted || !(error instanceof StoreError)) throw error;
    log.warn("upload_not_abandoned", { key: upload.key, error: describeError(error) });
    return false;
  }
}
