// Decides whether the object at a key is the dump, byte for byte. S3's ETag is the MD5 of the stored bytes, unless
// encryption is SSE-KMS or SSE-C, the ETag has another form, or reading back showed that this store's ETags are no
// MD5s. In these cases the delivery id decides, because the store checked every byte against Content-MD5 when it came
// in.
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import * as v from "valibot";
import type { Dump, Presence, Proof, Receipt } from "../store-port.ts";
import { DELIVERY_ID } from "../label-text.ts";
import { unquoteEtag } from "./s3-headers.ts";

const writeSchema = v.object({
  /** The ETag that the sent bytes have where the store's ETags are MD5s; null where they are not. */
  etag: v.nullable(v.string()),
  /** x-amz-checksum-crc32 of the whole object; null where CRC32 is off. */
  crc32: v.nullable(v.string()),
  /**
   * The ETag in the store's answer to the write, whatever it means: a later object with another ETag is another object.
   * "" where the answer had none (radosgw 16 after a completion).
   */
  answerEtag: v.string(),
});
/** What is known about a finished write. The journal keeps it in this form, which earlier versions wrote too. */
export type S3Write = v.InferOutput<typeof writeSchema>;

/** Parses a proof; undefined for another store's, and where there is none. */
export function parseWrite(proof: Proof | undefined): S3Write | undefined {
  const parsed = v.safeParse(writeSchema, proof);
  return parsed.success ? parsed.output : undefined;
}

/** Makes the receipt of a finished write. */
export function receiptOf(write: S3Write): Receipt {
  const { etag, answerEtag } = write;
  return {
    proof: write,
    // A later process can compute an ETag that is the bytes' MD5, so it needs no proof then.
    isNeededLater: answerEtag !== (etag ?? ""),
    isSufficient: etag === null || isSameMd5(answerEtag, etag),
  };
}

const partSchema = v.object({
  etag: v.string(),
  crc32: v.nullable(v.string()),
  /** The MD5 of the sent bytes, in hex; null where an earlier process sent them. */
  md5: v.nullable(v.string()),
});
/** What is known about a part. */
export type S3Part = v.InferOutput<typeof partSchema>;

/** Parses the proof of a part. Throws for any other value, because the parts of one store never go to another. */
export function parsePart(proof: Proof): S3Part {
  return v.parse(partSchema, proof);
}

/** What answers tell about an object's encryption. */
type Encryption = Pick<
  HeadObjectCommandOutput,
  "ServerSideEncryption" | "SSEKMSKeyId" | "SSECustomerAlgorithm"
>;

/** Returns whether an ETag of this form must be the MD5 of the stored bytes. partCount is 1 for a plain put. */
export function etagIsMd5(etag: string, partCount: number, encryption: Encryption): boolean {
  const { ServerSideEncryption = "AES256", SSEKMSKeyId, SSECustomerAlgorithm } = encryption;
  if (ServerSideEncryption !== "AES256" || SSEKMSKeyId !== undefined) return false;
  if (SSECustomerAlgorithm !== undefined) return false;
  const form = /^[0-9a-f]{32}(?:-(\d+))?$/i.exec(etag);
  if (form === null) return false;
  return partCount === 1 ? form[1] === undefined : Number(form[1]) === partCount;
}

/** Compares an ETag with an MD5, because some stores write hex digits in capitals. */
export function isSameMd5(etag: string, md5Hex: string | null | undefined): boolean {
  return etag.toLowerCase() === md5Hex;
}

/** What can prove that an object is the dump. */
export interface Proofs {
  partCount: number;
  /** True once a reading back has shown that this store's ETags are no MD5s, whatever their form. */
  areEtagsOpaque: boolean;
  /** Digests the whole dump; called only where the MD5 is not known yet. */
  expectedEtag: () => Promise<string>;
  /** Compares the bytes themselves; called only where this delivery's object has another MD5. */
  readsBack: () => Promise<boolean>;
}

/** Compares an object with the dump, using the evidence of the write where there is some. */
export async function compareObject(
  found: HeadObjectCommandOutput,
  dump: Dump,
  write: S3Write | undefined,
  { partCount, areEtagsOpaque, expectedEtag, readsBack }: Proofs,
): Promise<Presence> {
  const etag = unquoteEtag(found.ETag);
  const id = found.Metadata?.[DELIVERY_ID];
  const isOurs =
    id === dump.deliveryId ||
    (id === undefined && write !== undefined && etag !== "" && etag === write.answerEtag);
  const other = isOurs ? "damaged" : "different";
  if (found.ContentLength !== dump.sizeBytes) return other;
  const crc32 = write?.crc32 ?? undefined;
  const theirs = found.ChecksumCRC32;
  // Some stores answer with the CRC32 of the whole in place of the composite of the parts (`…-N`). The two cannot be
  // compared.
  if (crc32 !== undefined && theirs?.includes("-") === crc32.includes("-"))
    return theirs === crc32 ? "same" : other;
  const ourEtag = write?.etag ?? undefined;
  if (isSameMd5(etag, ourEtag)) return "same";
  if (write?.etag !== null && !areEtagsOpaque && etagIsMd5(etag, partCount, found)) {
    if (isSameMd5(etag, ourEtag ?? (await expectedEtag()))) return "same";
    return isOurs && (await readsBack()) ? "same" : other;
  }
  // The ETag proves nothing about the bytes. The store answered this process's write, and the object has no other ETag
  // and no other id.
  const isJustWritten = write !== undefined && write.answerEtag === "" && id === undefined;
  return isOurs || isJustWritten ? "same" : "different";
}
