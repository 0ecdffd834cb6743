// Digests a dump as Google writes it: CRC-32C and, where it is wanted, MD5, both in base64.
import { open } from "node:fs/promises";
import { bigEndian, toBase64 } from "../range-digest.ts";
import { crc32c } from "./crc32c.ts";

const BUFFER_BYTES = 256 * 1024;

/** The digests of a file. */
export interface GoogleDigest {
  crc32c: string;
  /** Undefined where it was not wanted. */
  md5: string | undefined;
}

/** Digests a file of this size. Throws where it is shorter; throws the signal's reason once it is aborted. */
export async function digestFile(
  path: string,
  sizeBytes: number,
  withMd5: boolean,
  signal: AbortSignal,
): Promise<GoogleDigest> {
  const md5 = withMd5 ? new Bun.CryptoHasher("md5") : undefined;
  let crc = 0;
  const file = await open(path, "r");
  try {
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (let position = 0; position < sizeBytes;) {
      signal.throwIfAborted();
      const wanted = Math.min(buffer.length, sizeBytes - position);
      const { bytesRead } = await file.read(buffer, 0, wanted, position);
      if (bytesRead === 0) throw new Error(`${path} ends at byte ${position}, before ${sizeBytes}`);
      const bytes = buffer.subarray(0, bytesRead);
      crc = crc32c(bytes, crc);
      md5?.update(bytes);
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
  return { crc32c: toBase64(bigEndian(crc)), md5: md5?.digest("base64") };
}
