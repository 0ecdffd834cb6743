// write(2) may write less than it was given (a nearly full disk, more than 2 GiB): again until all is there.
import type { FileHandle } from "node:fs/promises";

/** Writes all bytes at `position`, wherever the file's own position is. */
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
