// Is what stands at a key our dump, byte for byte? S3's ETag is the MD5 of what the store holds, or tells nothing:
// under SSE-KMS and SSE-C, where it has another form, or where reading back showed that this store's are no MD5s.
// Then whose the object is must do: every byte of it was checked by Content-MD5 as it came in.
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import type { Dump, Evidence, Presence } from "../object-store.ts";
import { DELIVERY_ID, unquoteEtag } from "./s3-headers.ts";

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
export function isSameMd5(etag: string, md5Hex: string | undefined): boolean {
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
  known: Evidence | undefined,
  { partCount, areEtagsOpaque, expectedEtag, readsBack }: Proofs,
): Promise<Presence> {
  const etag = unquoteEtag(found.ETag);
  const id = found.Metadata?.[DELIVERY_ID];
  const isOurs =
    id === dump.deliveryId ||
    (id === undefined && known !== undefined && etag !== "" && etag === known.answerEtag);
  const other = isOurs ? "damaged" : "different";
  if (found.ContentLength !== dump.sizeBytes) return other;
  const crc32 = known?.crc32 ?? undefined;
  const theirs = found.ChecksumCRC32;
  // Some stores tell that of the whole instead of the composite of the parts (`…-N`): not to be compared.
  if (crc32 !== undefined && theirs?.includes("-") === crc32.includes("-"))
    return theirs === crc32 ? "same" : other;
  const ourEtag = known?.etag ?? undefined;
  if (isSameMd5(etag, ourEtag)) return "same";
  if (known?.etag !== null && !areEtagsOpaque && etagIsMd5(etag, partCount, found)) {
    if (isSameMd5(etag, ourEtag ?? (await expectedEtag()))) return "same";
    return isOurs && (await readsBack()) ? "same" : other;
  }
  // The ETag proves nothing of the bytes. Our own write was answered, and no other ETag and no other id is there.
  const isJustWritten = known !== undefined && known.answerEtag === "" && id === undefined;
  return isOurs || isJustWritten ? "same" : "different";
}
