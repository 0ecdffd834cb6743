// The writing half for a bucket of Google Cloud Storage. google-upload.ts speaks the resumable protocol,
// google-object.ts proves that a dump arrived, google-session.ts adds tokens and explains. Callers do the retries.
import type { StoreSettings } from "../../config/store-settings.ts";
import { fixedFolderOf } from "../key-path.ts";
import { DELIVERY_ID } from "../label-text.ts";
import { failureOf, StoreError } from "../store-error.ts";
import type { Dump, Presence, Proof, Receipt, StoreProbe, StoreWriter } from "../store-port.ts";
import { markBy, presenceAfter } from "../stored-object.ts";
import { openGoogleChunks } from "./google-chunks.ts";
import { digestFile } from "./google-digest.ts";
import { compareObject, OBJECT_FIELDS, parseObject, receiptOf } from "./google-object.ts";
import { GoogleSession } from "./google-session.ts";
import { beginUpload, cancelUpload, sendStretch } from "./google-upload.ts";

const NOTHING: Dump = {
  path: "",
  sizeBytes: 0,
  deliveryId: "doctor",
  labels: { facts: {}, tags: {} },
};
/** The generation of an object that is not there. */
const NONE = "0";

/** Opens the store. Throws AppError "configuration" for credentials that are none. */
export function openGoogleWriter(settings: StoreSettings): StoreWriter {
  const session = new GoogleSession(settings);
  const { name } = session;

  async function look(key: string, signal: AbortSignal) {
    const action = `look at ${key}`;
    const { body } = await session.run(action, signal, () => ({
      method: "GET",
      url: session.objectUrl(key, { fields: OBJECT_FIELDS }),
    }));
    return parseObject(body, action);
  }

  /** Returns the generation of a damaged object of this delivery, which alone may be replaced. */
  async function generationOf(key: string, dump: Dump, signal: AbortSignal): Promise<string> {
    try {
      const { metadata, generation } = await look(key, signal);
      return metadata[DELIVERY_ID] === dump.deliveryId ? generation : NONE;
    } catch (error) {
      if (["not_found", "forbidden"].includes(failureOf(error) ?? "")) return NONE;
      throw error;
    }
  }

  async function examine(
    key: string,
    dump: Dump,
    proof: Proof | undefined,
    signal: AbortSignal,
  ): Promise<Presence> {
    try {
      return await compareObject(await look(key, signal), dump, proof, signal);
    } catch (error) {
      return presenceAfter(error);
    }
  }

  async function put(
    key: string,
    dump: Dump,
    replaces: boolean,
    signal: AbortSignal,
  ): Promise<Receipt> {
    const action = `upload ${key}`;
    const end = dump.sizeBytes;
    const { crc32c } = await digestFile(dump.path, end, false, signal);
    const generation = replaces ? await generationOf(key, dump, signal) : NONE;
    const address = await beginUpload(session, key, dump, generation, signal);
    const whole = { action, start: 0, end, crc32c };
    const object = await sendStretch(session, address, dump, whole, signal);
    if (object === undefined) throw new StoreError("server", `${action}: the answer has no object`);
    return receiptOf(crc32c, object);
  }

  /** Takes the request for small objects, which knows the condition too. */
  async function mark(key: string, signal: AbortSignal): Promise<"made" | "exists"> {
    const query = { uploadType: "media", name: key, ifGenerationMatch: NONE, fields: "name" };
    return markBy(() =>
      session.run(`write ${key}`, signal, () => ({
        method: "POST",
        url: session.uploadUrl(query),
        headers: { "content-type": "application/octet-stream", "content-length": "0" },
      })),
    );
  }

  /** Begins an upload and cancels it: that needs the same right as a dump, and leaves nothing. */
  async function probe(signal: AbortSignal): Promise<StoreProbe> {
    const folder = fixedFolderOf(settings.STORE_KEY_TEMPLATE);
    const key = `${folder}.cdh-doctor-${crypto.randomUUID()}`;
    let failure: unknown;
    try {
      const address = await beginUpload(session, key, NOTHING, NONE, signal);
      await cancelUpload(session, key, address, signal);
    } catch (error) {
      failure = error;
    }
    return { name, failure, aheadMs: session.aheadMs };
  }

  return {
    name,
    rightsToLook: "storage.objects.get (roles/storage.objectViewer)",
    answersDigest: true,
    isConditional: true,
    multipart: openGoogleChunks(session, generationOf),
    examine,
    put,
    mark,
    probe,
    close: () => {},
  };
}
