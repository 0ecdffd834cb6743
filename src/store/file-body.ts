// A piece of a file as the body of a request. Its bytes never enter memory as a whole, unless they are few.
import { open } from "node:fs/promises";

/** What fetch sends. */
export type FileBody = Blob | ReadableStream | Uint8Array<ArrayBuffer>;

/** Up to here a piece is read once, for its digests and as its body: that is faster than twice, and little memory. */
export const IN_MEMORY_MAX_BYTES = 1024 * 1024;

/** Reads the bytes [start, end) of a file. Throws where the file is shorter. */
export async function readPiece(
  path: string,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - start);
  const file = await open(path, "r");
  try {
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw new Error(`${path} ends at byte ${start + done}, before ${end}`);
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
  return bytes;
}

/**
 * Opens the bytes [start, end) of a file for one sending. Over plain http Bun sends a slice by sendfile(2). Under TLS
 * Bun would first read the whole slice into memory (measured: 118 MiB with two parts of 16 MiB), so it gets a stream,
 * which it reads as the socket takes the bytes (60 MiB).
 */
export function openPiece(path: string, start: number, end: number, isPlain: boolean): FileBody {
  if (start === end) return new Uint8Array(0);
  const slice = Bun.file(path).slice(start, end);
  return isPlain ? slice : slice.stream();
}
