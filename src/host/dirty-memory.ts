// How much of the node's memory may wait for the disk on behalf of one program, so that the kernel slows nobody down
// for it.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The smallest page; on a kernel with larger ones the room is only smaller. */
const PAGE_BYTES = 4096;
/** The room where the kernel does not tell its threshold (before Linux 2.6.37). */
const UNKNOWN_BYTES = 64 << 20;
/** A program's part of what is left. Where several look again and again, all together never take all of it. */
const PART = 1 / 2;

/**
 * Returns how many bytes a program may leave for the kernel to write out: half of what is left below the point at which
 * the kernel begins to write in the background (vm.dirty_background_ratio).
 */
export function readDirtyRoom(procDir: string): number {
  let text: string;
  try {
    text = readFileSync(join(procDir, "vmstat"), "utf8");
  } catch {
    return UNKNOWN_BYTES;
  }
  const pagesOf = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
  const left =
    pagesOf("nr_dirty_background_threshold") - pagesOf("nr_dirty") - pagesOf("nr_writeback");
  return Number.isNaN(left) ? UNKNOWN_BYTES : Math.max(0, left) * PAGE_BYTES * PART;
}
