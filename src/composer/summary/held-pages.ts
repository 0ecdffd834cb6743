// Reads a held process's memory where that waits for nobody: only pages that are there and belong to no file. Another
// may be a trap (userfaultfd(2), a FUSE server that takes it back).
import { closeSync, openSync, readSync } from "node:fs";

/** /proc/PID/pagemap, in the highest byte: in memory, or swapped out; a file's, or shared. */
const [PRESENT, OF_FILE] = [0xc0, 0x20];
const ENTRY_BYTES = 8;

/** The memory of one process. */
export class HeldPages {
  /** /proc/TID/mem, to read without regard to what is there. */
  readonly memory: number;
  private readonly pagemap: number;
  private readonly block: Buffer;

  /** `thread` is such as "/proc/4243", maxBytes the longest read. Throws where the process cannot be looked into. */
  constructor(thread: string, maxBytes: number) {
    this.memory = openSync(`${thread}/mem`, "r");
    try {
      this.pagemap = openSync(`${thread}/pagemap`, "r");
    } catch (error) {
      closeSync(this.memory);
      throw error;
    }
    this.block = Buffer.alloc(maxBytes);
  }

  /** As far as page after page is there; valid until the next read. */
  read(address: bigint, sizeBytes: number, pageBytes: number): Buffer {
    if (address < 0n || address >= 1n << 62n) return Buffer.alloc(0);
    const first = address / BigInt(pageBytes);
    const into = Number(address % BigInt(pageBytes));
    const entries = Buffer.alloc(Math.ceil((into + sizeBytes) / pageBytes) * ENTRY_BYTES);
    const known = readOrNothing(this.pagemap, entries, first * BigInt(ENTRY_BYTES));
    let pages = 0;
    while ((pages + 1) * ENTRY_BYTES <= known && isReadable(entries[pages * ENTRY_BYTES + 7] ?? 0))
      pages++;
    const length = Math.min(sizeBytes, pages * pageBytes - into, this.block.length);
    if (length <= 0) return Buffer.alloc(0);
    const block = this.block.subarray(0, length);
    return block.subarray(0, readOrNothing(this.memory, block, address));
  }

  close(): void {
    closeSync(this.memory);
    closeSync(this.pagemap);
  }
}

function isReadable(flags: number): boolean {
  return (flags & PRESENT) !== 0 && (flags & OF_FILE) === 0;
}

function readOrNothing(fd: number, into: Buffer, position: bigint): number {
  try {
    return readSync(fd, into, 0, into.length, position);
  } catch {
    return 0; // EIO, EFAULT: there is nothing
  }
}
