// Digests a dump in one pass: the whole, and each of its pieces.
import { open } from "node:fs/promises";

const BUFFER_BYTES = 256 * 1024;

/** The MD5s of a dump. */
export interface DumpDigest {
  /** Of the whole, in base64, as headers have it. */
  md5: string;
  /** Of the pieces, in hex. */
  pieces: string[];
}

/**
 * Digests a file that is cut into pieces of these sizes. Throws where the file is shorter; throws the signal's reason
 * once it is aborted.
 */
export async function digestPieces(
  path: string,
  sizes: readonly number[],
  signal: AbortSignal,
): Promise<DumpDigest> {
  const whole = new Bun.CryptoHasher("md5");
  const pieces: string[] = [];
  const file = await open(path, "r");
  try {
    const buffer = new Uint8Array(BUFFER_BYTES);
    let position = 0;
    for (const sizeBytes of sizes) {
      const piece = new Bun.CryptoHasher("md5");
      for (const end = position + sizeBytes; position < end;) {
        signal.throwIfAborted();
        const wanted = Math.min(buffer.length, end - position);
        const { bytesRead } = await file.read(buffer, 0, wanted, position);
        if (bytesRead === 0) throw new Error(`${path} ends at byte ${position}, before ${end}`);
        const bytes = buffer.subarray(0, bytesRead);
        whole.update(bytes);
        piece.update(bytes);
        position += bytesRead;
      }
      pieces.push(piece.digest("hex"));
    }
  } finally {
    await file.close();
  }
  return { md5: whole.digest("base64"), pieces };
}

/** Sums up the MD5s of pieces in one, for a proof that stays small. */
export function digestOfDigests(pieces: readonly string[]): string {
  return new Bun.CryptoHasher("md5").update(pieces.join()).digest("hex");
}
