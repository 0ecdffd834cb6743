// Reads files that an untrusted process may have made or may be writing. Reads no more than the caller asks for,
// follows no symbolic link in the path's last component, and never waits for a FIFO.
import { constants } from "node:fs";
import { open, readlink, type FileHandle } from "node:fs/promises";

// O_NONBLOCK: opening a FIFO without a writer would wait for ever (open(2)); regular files ignore it.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const BLOCK_BYTES = 64 * 1024;

/**
 * Opens a regular file; the caller closes it. Throws the system's error for a symbolic link (ELOOP), and Error for
 * anything else that is no regular file.
 */
export async function openRegular(path: string): Promise<{ file: FileHandle; sizeBytes: number }> {
  const file = await open(path, FLAGS);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error(`${path} is not a regular file`);
    return { file, sizeBytes: stat.size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Returns the real path of an open file, with every link resolved. */
export function realPathOf(file: FileHandle): Promise<string> {
  return readlink(`/proc/self/fd/${file.fd}`);
}

/**
 * Reads the first maxBytes of a file and ignores the size that stat reports, because files of /proc have size 0. `cut`
 * is true when the file has more.
 */
export async function readBounded(
  path: string,
  maxBytes: number,
): Promise<{ data: Uint8Array; cut: boolean }> {
  const { file } = await openRegular(path);
  try {
    const blocks: Buffer[] = [];
    let sizeBytes = 0;
    while (sizeBytes <= maxBytes) {
      const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, maxBytes + 1 - sizeBytes));
      const { bytesRead } = await file.read(block, 0, block.length, null);
      if (bytesRead === 0) break;
      blocks.push(block.subarray(0, bytesRead));
      sizeBytes += bytesRead;
    }
    const data = Buffer.concat(blocks, sizeBytes);
    return { data: data.subarray(0, maxBytes), cut: sizeBytes > maxBytes };
  } finally {
    await file.close();
  }
}

/** Reads sizeBytes bytes from an offset on, or fewer at the end of the file. */
export async function readAt(file: FileHandle, offset: number, sizeBytes: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    const { bytesRead } = await file.read(block, filled, sizeBytes - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return block.subarray(0, filled);
}
