// Digests of a piece of a file, computed natively and in a fixed buffer: nobody has to hold the bytes.
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";

const BLOCK_BYTES = 256 * 1024;

export interface DigestChoice {
  sha256: boolean;
  crc32: boolean;
}

export interface PartDigest {
  md5: Uint8Array;
  sha256Hex: string | undefined;
  /** Big-endian. */
  crc32: Uint8Array | undefined;
}

/** Digests bytes [start, end) of a file. Throws when the file is shorter, and the signal's reason. */
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

export function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
