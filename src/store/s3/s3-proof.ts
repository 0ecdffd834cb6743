// Is what stands at a key our dump, byte for byte? S3's ETag is the MD5 of what the store holds, or tells nothing:
// under SSE-KMS and SSE-C, where it has another form, or where reading back showed that this store's are no MD5s.
// Then whose the object is must do: every byte of it was checked by Content-MD5 as it came in.
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import * as v from "valibot";
import type { Dump, Presence, Proof, Receipt } from "../store-port.ts";
import { DELIVERY_ID, unquoteEtag } from "./s3-headers.ts";

const writeSchema = v.object({
  /** The ETag that our bytes have where the store's ETags are MD5s; null where they are known not to be. */
  etag: v.nullable(v.string()),
  /** x-amz-checksum-crc32 of the whole, where CRC32 is on. */
  crc32: v.nullable(v.string()),
  /**
   * The ETag in the store's answer to the write, whatever it means: another one there is another object. "" where it
   * had none (radosgw 16 after a completion).
   */
  answerEtag: v.string(),
});
/** What is known of a finished write. The journal keeps it as it is: versions before wrote these fields too. */
export type S3Write = v.InferOutput<typeof writeSchema>;

/** Undefined for the proof of another store, or of none. */
export function parseWrite(proof: Proof | undefined): S3Write | undefined {
  const parsed = v.safeParse(writeSchema, proof);
  return parsed.success ? parsed.output : undefined;
}

export function receiptOf(write: S3Write): Receipt {
  const { etag, answerEtag } = write;
  return {
    proof: write,
    // Where the ETag is the bytes' MD5, the next process finds that out by itself.
    isNeededLater: answerEtag !== (etag ?? ""),
    isSufficient: etag === null || isSameMd5(answerEtag, etag),
  };
}

const partSchema = v.object({
  etag: v.string(),
  crc32: v.nullable(v.string()),
  /** The MD5 of what we sent, in hex; null where an earlier process sent it. */
  md5: v.nullable(v.string()),
});
/** What is known of a part. */
export type S3Part = v.InferOutput<typeof partSchema>;

/** Throws for what is no proof of a part of ours: the parts of one store are not given to another. */
export function parsePart(proof: Proof): S3Part {
  return v.parse(partSchema, proof);
}

/** What answers tell of an object's encryption. */
type Encryption = Pick<
  HeadObjectCommandOutput,
  "ServerSideEncryption" | "SSEKMSKeyId" | "SSECustomerAlgorithm"
>;

/** Whether an ETag of this form, of so many parts (one: a plain put), must be the MD5 of the bytes there. */
export function etagIsMd5(etag: string, partCount: number, encryption: Encryption): boolean {
  const { ServerSideEncryption = "AES256", SSEKMSKeyId, SSECustomerAlgorithm } = encryption;
  if (ServerSideEncryption !== "AES256" || SSEKMSKeyId !== undefined) return false;
  if (SSECustomerAlgorithm !== undefined) return false;
  const form = /^[0-9a-f]{32}(?:-(\d+))?$/i.exec(etag);
  if (form === null) return false;
  return partCount === 1 ? form[1] === undefined : Number(form[1]) === partCount;
}

/** Some stores write hex digits in capitals. */
export function isSameMd5(etag: string, md5Hex: string | null | undefined): boolean {
  return etag.toLowerCase() === md5Hex;
}

export interface Proofs {
  partCount: number;
  /** This store's ETags were seen to be no MD5s, whatever their form. */
  areEtagsOpaque: boolean;
  /** Digests the dump, which reads all of it: asked only where nothing tells the MD5 yet. */
  expectedEtag: () => Promise<string>;
  /** Compares the bytes themselves: asked only where our own object has another MD5. */
  readsBack: () => Promise<boolean>;
}

/** Compares an object with the dump. */
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
  // Some stores tell that of the whole instead of the composite of the parts (`…-N`): not to be compared.
  if (crc32 !== undefined && theirs?.includes("-") === crc32.includes("-"))
    return theirs === crc32 ? "same" : other;
  const ourEtag = write?.etag ?? undefined;
  if (isSameMd5(etag, ourEtag)) return "same";
  if (write?.etag !== null && !areEtagsOpaque && etagIsMd5(etag, partCount, found)) {
    if (isSameMd5(etag, ourEtag ?? (await expectedEtag()))) return "same";
    return isOurs && (await readsBack()) ? "same" : other;
  }
  // The ETag proves nothing of the bytes. Our own write was answered, and no other ETag and no other id is there.
  const isJustWritten = write !== undefined && write.answerEtag === "" && id === undefined;
  return isOurs || isJustWritten ? "same" : "different";
}
