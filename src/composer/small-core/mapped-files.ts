// Which pages of a process belong to mapped files, from the core's note NT_FILE: count, page size; start, end and offset
// of each mapping, in the order of the addresses.

const HEAD_BYTES = 16;
const ROW_BYTES = 24;
const FILES_MAX = 70_000;

/** The mapped files of one process. */
export class MappedFiles {
  /** The first page of each file's mapping of its beginning. */
  readonly beginnings = new Set<number>();
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];

  constructor(note: Buffer, pageBytes: number) {
    const rows = note.length < HEAD_BYTES ? 0 : Number(note.readBigUInt64LE(0));
    for (let index = 0; index < Math.min(rows, FILES_MAX); index++) {
      const at = HEAD_BYTES + index * ROW_BYTES;
      if (at + ROW_BYTES > note.length) break;
      const start = Number(note.readBigUInt64LE(at)) / pageBytes;
      // One that is out of order is no kernel's.
      if (start < (this.ends.at(-1) ?? 0)) break;
      this.starts.push(start);
      this.ends.push(Number(note.readBigUInt64LE(at + 8)) / pageBytes);
      if (note.readBigUInt64LE(at + 16) === 0n) this.beginnings.add(start);
    }
  }

  /** Whether a page belongs to a file. */
  has(page: number): boolean {
    let [low, high] = [0, this.starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.starts[middle] ?? 0) <= page) low = middle + 1;
      else high = middle;
    }
    return low > 0 && page < (this.ends[low - 1] ?? 0);
  }
}
