// An object as Cloud Storage shows it, and whether it is the dump, byte for byte. The store computes the CRC-32C of
// every object, and the MD5 of every one that was uploaded in one session.
import * as v from "valibot";
import { DELIVERY_ID } from "../label-text.ts";
import { StoreError } from "../store-error.ts";
import type { Dump, Presence, Proof, Receipt } from "../store-port.ts";
import { digestFile } from "./google-digest.ts";

/** The fields that are asked for. */
export const OBJECT_FIELDS = "name,size,updated,crc32c,md5Hash,generation,metadata";

const objectSchema = v.object({
  name: v.string(),
  /** Digits: the API writes 64 bits as text. */
  size: v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number)),
  updated: v.optional(v.string(), ""),
  crc32c: v.optional(v.string()),
  md5Hash: v.optional(v.string()),
  generation: v.pipe(v.string(), v.regex(/^\d+$/)),
  metadata: v.optional(v.record(v.string(), v.string()), {}),
});
/** An object's resource. */
export type GoogleObject = v.InferOutput<typeof objectSchema>;

const listSchema = v.object({
  items: v.optional(v.array(objectSchema), []),
  nextPageToken: v.optional(v.string(), ""),
});

/** Reads an object's resource. Throws StoreError "server" for another text. */
export function parseObject(body: Buffer, action: string): GoogleObject {
  return parse(objectSchema, body, action);
}

/** Reads a page of a listing. Throws StoreError "server" for another text. */
export function parseList(body: Buffer, action: string): v.InferOutput<typeof listSchema> {
  return parse(listSchema, body, action);
}

function parse<S extends v.GenericSchema>(
  schema: S,
  body: Buffer,
  action: string,
): v.InferOutput<S> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), body.toString());
  if (parsed.success) return parsed.output;
  throw new StoreError("server", `${action}: the answer was broken`);
}

const writeSchema = v.object({ crc32c: v.string() });

/** Makes the receipt of a write that the store answered with this object. */
export function receiptOf(crc32c: string, answered: GoogleObject): Receipt {
  return { proof: { crc32c }, isNeededLater: false, isSufficient: answered.crc32c === crc32c };
}

/** Compares an object with the dump. Reads the dump only where no proof of this delivery's write is at hand. */
export async function compareObject(
  found: GoogleObject,
  dump: Dump,
  proof: Proof | undefined,
  signal: AbortSignal,
): Promise<Presence> {
  const isOurs = found.metadata[DELIVERY_ID] === dump.deliveryId;
  const other = isOurs ? "damaged" : "different";
  if (found.size !== dump.sizeBytes || found.crc32c === undefined) return other;
  const write = v.safeParse(writeSchema, proof);
  const known = write.success ? write.output.crc32c : undefined;
  if (known !== undefined && (isOurs || known !== found.crc32c))
    return known === found.crc32c ? "same" : other;
  // 32 bits do not tell somebody else's object from this dump.
  const ours = await digestFile(dump.path, dump.sizeBytes, !isOurs, signal);
  if (ours.crc32c !== found.crc32c) return other;
  return isOurs || ours.md5 === found.md5Hash ? "same" : other;
}
