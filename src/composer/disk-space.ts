// How much of CORE_DIR's filesystem a dump may take: it stops before the node's own programs starve.
import { statfs } from "node:fs/promises";

/** On a small filesystem the reserve is this part of it at most; otherwise nothing could be stored at all. */
const RESERVE_PART_MAX = 1 / 16;

/**
 * How many bytes more than reserveBytes are free (for unprivileged users) on the filesystem of `directory`; below
 * 0 when it has less. Infinity where it does not say: a write will tell.
 */
export async function bytesAboveReserve(directory: string, reserveBytes: number): Promise<number> {
  try {
    const { bavail, blocks, bsize } = await statfs(directory);
    return bavail * bsize - Math.min(reserveBytes, blocks * bsize * RESERVE_PART_MAX);
  } catch {
    return Infinity;
  }
}
