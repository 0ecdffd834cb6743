// Repeats write(2), which may write only a part of the bytes (nearly full disk, more than 2 GiB), until all are
// written.
import type { FileHandle } from "node:fs/promises";

/** Writes all bytes at `position` and ignores the file's own position. Throws the system's error. */
export async function writeFully(
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
