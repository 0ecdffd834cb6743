// One resumable upload: begun with its conditions and metadata, fed in chunks, asked how far it is. Its address is a
// secret, because whoever knows it may write to it.
import type { StoreSettings } from "../../config/store-settings.ts";
import { openPiece } from "../file-body.ts";
import { DELIVERY_ID, metadataOf, TAG_LIMITS, tagsOf } from "../label-text.ts";
import { failureOf, StoreError } from "../store-error.ts";
import type { HttpAnswer } from "../store-http.ts";
import type { Dump } from "../store-port.ts";
import { OBJECT_FIELDS, parseObject, type GoogleObject } from "./google-object.ts";
import type { GoogleSession } from "./google-session.ts";

/** Every chunk but the last is a multiple of this. */
export const CHUNK_UNIT_BYTES = 256 * 1024;
/** How often the store may keep nothing of a chunk. */
const FRUITLESS_MAX = 3;
/** The end of a large upload is slow, because the store looks at the whole. */
const FINISH_PATIENCE = 5;
/** Metadata holds any text; tags come as such, because the store has no tags. */
const TAG_RULES = { ...TAG_LIMITS, refused: /[^\x20-\x7e]/gu };

/**
 * Begins an upload and returns its address. `generation` is that of the object that it may replace, "0" for none. Throws
 * StoreError "exists".
 */
export async function beginUpload(
  session: GoogleSession,
  key: string,
  dump: Dump,
  generation: string,
  signal: AbortSignal,
): Promise<string> {
  const query = {
    uploadType: "resumable",
    name: key,
    ifGenerationMatch: generation,
    fields: OBJECT_FIELDS,
  };
  const { headers } = await session.run(`begin ${key}`, signal, () => {
    const body = JSON.stringify({ name: key, ...resourceOf(session.settings, dump) });
    return {
      method: "POST",
      url: session.uploadUrl(query),
      headers: {
        "content-type": "application/json; charset=UTF-8",
        "x-upload-content-type": "application/zip",
        "x-upload-content-length": String(dump.sizeBytes),
      },
      body,
      bodyBytes: Buffer.byteLength(body),
    };
  });
  const address = headers.get("location") ?? "";
  if (!isUploadAddress(address, session.endpoint))
    throw new StoreError("server", `begin ${key}: the answer names no upload`);
  return address;
}

/** Returns whether an upload may have this address: the token goes there, so that it must be the store's. */
export function isUploadAddress(address: string, endpoint: string): boolean {
  if (!URL.canParse(address)) return false;
  const { origin, protocol, hostname } = new URL(address);
  return (
    origin === new URL(endpoint).origin ||
    (protocol === "https:" && hostname.endsWith(".googleapis.com"))
  );
}

function resourceOf(settings: StoreSettings, { labels, deliveryId }: Dump) {
  const facts = settings.STORE_METADATA ? { ...metadataOf(labels), [DELIVERY_ID]: deliveryId } : {};
  return {
    contentType: "application/zip",
    metadata: { ...tagsOf(labels, TAG_RULES), ...facts },
  };
}

/** What an upload answers: how many bytes it has, or the object. */
export type Progress = { storedBytes: number } | { object: GoogleObject };

/** Asks how far an upload of so many bytes is. Throws StoreError "gone". */
export async function askProgress(
  session: GoogleSession,
  key: string,
  { address, sizeBytes }: { address: string; sizeBytes: number },
  signal: AbortSignal,
): Promise<Progress> {
  const action = `look at the upload of ${key}`;
  const answer = await session.run(action, signal, () => ({
    method: "PUT",
    url: address,
    headers: { "content-range": `bytes */${sizeBytes}`, "content-length": "0" },
    isUpload: true,
  }));
  return progressOf(answer, action);
}

function progressOf({ status, headers, body }: HttpAnswer, action: string): Progress {
  if (status !== 308) return { object: parseObject(body, action) };
  const last = /^bytes=0-(\d+)$/.exec(headers.get("range") ?? "")?.[1];
  return { storedBytes: last === undefined ? 0 : Number(last) + 1 };
}

/** The bytes to send, and what the store is to compare at the end. */
export interface Stretch {
  action: string;
  start: number;
  end: number;
  /** CRC-32C of the whole dump in base64, for the last stretch, which finishes the upload. */
  crc32c?: string;
}

/**
 * Sends the bytes [start, end) of the dump; starts again where the store kept fewer. Returns the object after the last
 * one. Throws StoreError.
 */
export async function sendStretch(
  session: GoogleSession,
  address: string,
  dump: Dump,
  { action, start, end, crc32c }: Stretch,
  signal: AbortSignal,
): Promise<GoogleObject | undefined> {
  let offset = start;
  for (let fruitless = 0; fruitless < FRUITLESS_MAX;) {
    const from = offset;
    const answer = await session.run(action, signal, () => ({
      method: "PUT",
      url: address,
      headers: {
        "content-type": "application/zip",
        "content-range":
          from < end ? `bytes ${from}-${end - 1}/${dump.sizeBytes}` : `bytes */${dump.sizeBytes}`,
        ...(crc32c === undefined ? {} : { "x-goog-hash": `crc32c=${crc32c}` }),
      },
      body: openPiece(dump.path, from, end, session.isPlain),
      bodyBytes: end - from,
      ...(crc32c === undefined ? {} : { patience: FINISH_PATIENCE }),
      isUpload: true,
    }));
    const progress = progressOf(answer, action);
    if ("object" in progress) return progress.object;
    const { storedBytes } = progress;
    if (storedBytes >= end && crc32c === undefined) return undefined;
    if (storedBytes <= from) fruitless++;
    offset = storedBytes;
  }
  throw new StoreError("server", `${action}: the store keeps none of the bytes`);
}

/** Ends an upload. It is no error where the store no longer knows it. */
export async function cancelUpload(
  session: GoogleSession,
  key: string,
  address: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await session.run(`abort ${key}`, signal, () => ({
      method: "DELETE",
      url: address,
      headers: { "content-length": "0" },
      isUpload: true,
    }));
  } catch (error) {
    if (failureOf(error) !== "gone") throw error;
  }
}
