// Reads of files that something untrusted may have put there or may be growing: never more than asked,
// never through a symbolic link in the last place, never waiting on a FIFO.
import { constants } from "node:fs";
import { open, readlink, type FileHandle } from "node:fs/promises";

// O_NONBLOCK: opening a FIFO without a writer would wait for ever (open(2)); regular files ignore it.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
const BLOCK_BYTES = 64 * 1024;

/** Opens a regular file. Throws for a symbolic link (ELOOP) and for anything that is no regular file. */
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

/** Where an open file really is, every link of its path resolved. */
export function realPathOf(file: FileHandle): Promise<string> {
  return readlink(`/proc/self/fd/${file.fd}`);
}

/**
 * The first maxBytes of a file, whatever its stat says (files of /proc have size 0).
 * cut is true when there was more.
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

/** sizeBytes bytes from an offset on, fewer at the end of the file. */
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
