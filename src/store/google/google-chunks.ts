// A resumable upload as an upload in parts, one after the other. The object appears with the last byte, so the last
// part is sent by complete(). A session ends by itself after a week, and costs nothing meanwhile.
import { planParts, partOf, type PartLimits } from "../../model/part-plan.ts";
import { StoreError } from "../store-error.ts";
import type { Dump, MultipartWriter, StoredPart } from "../store-port.ts";
import { digestFile } from "./google-digest.ts";
import { receiptOf } from "./google-object.ts";
import type { GoogleSession } from "./google-session.ts";
import {
  askProgress,
  beginUpload,
  cancelUpload,
  isUploadAddress,
  CHUNK_UNIT_BYTES,
  sendStretch,
} from "./google-upload.ts";

const GIB = 2 ** 30;
/** An object has at most 5 TiB; the number of chunks has no limit of the store's. */
export const GOOGLE_PART_LIMITS: PartLimits = {
  partMinBytes: CHUNK_UNIT_BYTES,
  partMaxBytes: 5 * GIB,
  partsMax: 1024,
  partsWished: 1000,
};

/** Opens the requests. `generationOf` tells which object an upload may replace. */
export function openGoogleChunks(
  session: GoogleSession,
  generationOf: (key: string, dump: Dump, signal: AbortSignal) => Promise<string>,
): MultipartWriter {
  const wishedBytes =
    Math.floor(session.settings.STORE_PART_SIZE / CHUNK_UNIT_BYTES) * CHUNK_UNIT_BYTES;
  const plan = (sizeBytes: number) => planParts(sizeBytes, GOOGLE_PART_LIMITS, wishedBytes);

  return {
    plan,
    concurrency: 1,

    async create(key, dump, signal) {
      const generation = await generationOf(key, dump, signal);
      const address = await beginUpload(session, key, dump, generation, signal);
      return { key, uploadId: formatId({ sizeBytes: dump.sizeBytes, address }) };
    },

    async uploadPart({ key, uploadId }, dump, { number, start, end }, signal) {
      const part: StoredPart = { number, sizeBytes: end - start, proof: null };
      if (end === dump.sizeBytes) return part;
      const { address } = parseId(uploadId, session.endpoint);
      const action = `upload part ${number} of ${key}`;
      await sendStretch(session, address, dump, { action, start, end }, signal);
      return part;
    },

    async listParts({ key, uploadId }, signal) {
      const id = parseId(uploadId, session.endpoint);
      const progress = await askProgress(session, key, id, signal);
      // Finished, by an answer that was lost: the caller looks at the object.
      if ("object" in progress)
        throw new StoreError("gone", `the upload of ${key} is finished already`);
      const cut = plan(id.sizeBytes);
      const parts: StoredPart[] = [];
      for (let number = 1; number < cut.partCount; number++) {
        const { start, end } = partOf(cut, number);
        if (end > progress.storedBytes) break;
        parts.push({ number, sizeBytes: end - start, proof: null });
      }
      return parts;
    },

    async complete({ key, uploadId }, dump, parts, _replaces, signal) {
      const { address } = parseId(uploadId, session.endpoint);
      const { crc32c } = await digestFile(dump.path, dump.sizeBytes, false, signal);
      const { start } = partOf(plan(dump.sizeBytes), parts.length);
      const last = { action: `complete ${key}`, start, end: dump.sizeBytes, crc32c };
      const object = await sendStretch(session, address, dump, last, signal);
      if (object === undefined)
        throw new StoreError("server", `complete ${key}: the answer has no object`);
      return receiptOf(crc32c, object);
    },

    abort: ({ key, uploadId }, signal) =>
      cancelUpload(session, key, parseId(uploadId, session.endpoint).address, signal),

    // The store has no list of them.
    listUploads: () => Promise.resolve([]),
  };
}

interface UploadId {
  sizeBytes: number;
  address: string;
}

function formatId({ sizeBytes, address }: UploadId): string {
  return `${sizeBytes} ${address}`;
}

/** Throws StoreError "gone" for the id of another store's upload, and for one that somebody made up. */
function parseId(uploadId: string, endpoint: string): UploadId {
  const [, size, address] = /^(\d+) (https?:\/\/\S+)$/.exec(uploadId) ?? [];
  if (size === undefined || address === undefined || !isUploadAddress(address, endpoint))
    throw new StoreError("gone", "the store does not know this upload");
  return { sizeBytes: Number(size), address };
}
