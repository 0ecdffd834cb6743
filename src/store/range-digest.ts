// Computes digests of a piece of a file with native code and a fixed buffer, so that memory does not grow with the
// piece.
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";

const BLOCK_BYTES = 256 * 1024;

/** Which digests are wanted beside the MD5. */
export interface DigestChoice {
  sha256: boolean;
  crc32: boolean;
}

/** The digests; undefined for one that was not wanted. */
export interface PartDigest {
  md5: Uint8Array;
  sha256Hex: string | undefined;
  /** The CRC-32's four bytes in big-endian order. */
  crc32: Uint8Array | undefined;
}

/**
 * Digests the bytes [start, end) of a file. Throws when the file is shorter; throws the signal's reason once it is
 * aborted.
 */
export async function digestRange(
  path: string,
  start: number,
  end: number,
  choice: DigestChoice,
  signal: AbortSignal,
): Promise<PartDigest> {
  const md5 = new Bun.CryptoHasher("md5");
  const sha256 = choice.sha256 ? new Bun.CryptoHasher("sha256") : undefined;
  let crc = 0;
  const file = await open(path, "r");
  try {
    const block = new Uint8Array(Math.min(BLOCK_BYTES, Math.max(1, end - start)));
    for (let position = start; position < end;) {
      signal.throwIfAborted();
      const wanted = Math.min(block.length, end - position);
      const { bytesRead } = await file.read(block, 0, wanted, position);
      if (bytesRead === 0) throw new Error(`${path} ends at byte ${position}, before ${end}`);
      const bytes = block.subarray(0, bytesRead);
      md5.update(bytes);
      sha256?.update(bytes);
      if (choice.crc32) crc = crc32(bytes, crc);
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
  return {
    md5: md5.digest(),
    sha256Hex: sha256?.digest("hex"),
    crc32: choice.crc32 ? bigEndian(crc) : undefined,
  };
}

/** Digests bytes in memory. */
export function digestBytes(bytes: Uint8Array, choice: DigestChoice): PartDigest {
  return {
    md5: new Bun.CryptoHasher("md5").update(bytes).digest(),
    sha256Hex: choice.sha256
      ? new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
      : undefined,
    crc32: choice.crc32 ? bigEndian(crc32(bytes)) : undefined,
  };
}

/** Writes a number of 32 bits as four bytes in big-endian order. */
export function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Writes bytes as lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** Writes bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
