// Makes a request's body of a piece of the dump: a slice of the file, which fetch reads as it sends, and the digests
// for the headers.
import type { Dump } from "../store-port.ts";
import { digestBytes, digestRange, toBase64, toHex } from "../range-digest.ts";
import { IN_MEMORY_MAX_BYTES, openPiece, readPiece, type FileBody } from "../file-body.ts";
import { signPayload } from "./s3-client.ts";
import type { S3Session } from "./s3-session.ts";

/** A piece of the dump, ready to be sent. */
export interface S3Body {
  /** Makes the request's input, anew for every sending, because a stream can be read only once. */
  input(): {
    Body: FileBody;
    ContentLength: number;
    /** Every S3 store knows Content-MD5, and refuses bytes that do not fit it (BadDigest). */
    ContentMD5: string;
    ChecksumCRC32?: string;
  };
  md5Hex: string;
  crc32: string | undefined;
}

/** Digests the bytes [start, end) of the dump and makes their body. Throws where the file is shorter. */
export async function readBody(
  session: S3Session,
  dump: Dump,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<S3Body> {
  const choice = { sha256: session.signsPayload, crc32: session.sendsCrc32 };
  const isSmall = end - start <= IN_MEMORY_MAX_BYTES;
  const bytes = isSmall ? await readPiece(dump.path, start, end) : undefined;
  const digest =
    bytes === undefined
      ? await digestRange(dump.path, start, end, choice, signal)
      : digestBytes(bytes, choice);
  const crc32 = digest.crc32 === undefined ? undefined : toBase64(digest.crc32);
  return {
    input: () => {
      const body = bytes ?? openPiece(dump.path, start, end, session.isPlain);
      if (digest.sha256Hex !== undefined) signPayload(body, digest.sha256Hex);
      return {
        Body: body,
        ContentLength: end - start,
        ContentMD5: toBase64(digest.md5),
        ...(crc32 === undefined ? {} : { ChecksumCRC32: crc32 }),
      };
    },
    md5Hex: toHex(digest.md5),
    crc32,
  };
}
