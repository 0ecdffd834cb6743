// How much of CORE_DIR's filesystem a dump may take, so that the node's own programs keep some space.
import { statfs } from "node:fs/promises";

/** The largest reserve as a part of the filesystem; on a small one the reserve could otherwise take all of it. */
const RESERVE_PART_MAX = 1 / 16;

/**
 * Returns how many bytes beyond reserveBytes are free for unprivileged users on the filesystem of `directory`; below 0
 * when it has less. Infinity where statfs fails: a write then shows whether there is space.
 */
export async function bytesAboveReserve(directory: string, reserveBytes: number): Promise<number> {
  try {
    const { bavail, blocks, bsize } = await statfs(directory);
    return bavail * bsize - Math.min(reserveBytes, blocks * bsize * RESERVE_PART_MAX);
  } catch {
    return Infinity;
  }
}
