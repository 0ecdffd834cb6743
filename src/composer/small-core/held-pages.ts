// The memory of a process that the kernel holds, from /proc/P/mem. A page may be a trap: of a file on a mount that no
// longer answers, or somebody's to fill (userfaultfd(2)). So /proc/P/pagemap is asked first, and only pages are read
// that are in memory or in the swap. Another process that shares the memory can still change it in between: that is why
// every read is one of the thread pool's, which the caller can give up waiting for.
import { closeSync, openSync, read } from "node:fs";
import type { HeldProcess } from "../../host/held-process.ts";
import { PAGE, type PageMemory } from "./page-memory.ts";

/** /proc/PID/pagemap, in the highest byte of an entry: in memory; swapped out; a file's, or shared. */
const [PRESENT, SWAPPED, OF_FILE] = [0x80, 0x40, 0x20];
const ENTRY_BYTES = 8;

/** Opens the process's memory. `tid` is a thread of it that lives: the first one may have ended. Throws. */
export function openHeldPages(
  procDir: string,
  { pid }: HeldProcess,
  tid: number,
  pageBytes: number,
): PageMemory {
  const thread = `${procDir}/${pid}/task/${tid}`;
  const memory = openSync(`${thread}/mem`, "r");
  let pagemap: number;
  try {
    pagemap = openSync(`${thread}/pagemap`, "r");
  } catch (error) {
    closeSync(memory);
    throw error;
  }
  return {
    async states(first, count) {
      const entries = Buffer.alloc(count * ENTRY_BYTES);
      const bytes = await readAt(pagemap, entries, BigInt(first) * BigInt(ENTRY_BYTES));
      const states = new Uint8Array(count);
      for (let index = 0; (index + 1) * ENTRY_BYTES <= bytes; index++)
        states[index] = stateOf(entries[index * ENTRY_BYTES + ENTRY_BYTES - 1] ?? 0);
      return states;
    },
    read: async (first, into) => {
      const bytes = await readAt(memory, into, BigInt(first) * BigInt(pageBytes));
      return bytes - (bytes % pageBytes);
    },
    close() {
      closeSync(memory);
      closeSync(pagemap);
    },
  };
}

function stateOf(flags: number): number {
  if ((flags & PRESENT) !== 0) return PAGE.there;
  if ((flags & SWAPPED) === 0) return PAGE.untouched;
  return (flags & OF_FILE) === 0 ? PAGE.there : PAGE.absent;
}

/** Returns 0 where nothing can be read: EIO, EFAULT. */
function readAt(fd: number, into: Buffer, position: bigint): Promise<number> {
  return new Promise((resolve) => {
    read(fd, into, 0, into.length, position, (error, count) => resolve(error === null ? count : 0));
  });
}
