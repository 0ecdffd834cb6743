// A core's memory segments in the order of their addresses, counted in pages: as typed arrays, because a process may
// have 100,000 mappings. Page numbers are exact as numbers: an address has 64 bits, and a page at least 12 of them.

const [PF_X, PF_W] = [1, 2];

/** One segment; pages are numbers of pages from address 0 on, the ends exclusive. */
export interface CoreSegment {
  start: number;
  end: number;
  /** Where the part ends that the kernel writes: it leaves out what the owner's coredump_filter and madvise(2) say. */
  fileEnd: number;
  flags: number;
  /** Where the part begins in the core. */
  offset: number;
}

/** The segments of one core. */
export class CoreSegments {
  readonly pageBytes: number;
  private count = 0;
  private starts: Float64Array;
  private ends: Float64Array;
  private fileEnds: Float64Array;
  private offsets: Float64Array;
  private flags: Uint8Array;

  constructor(capacity: number, pageBytes: number) {
    this.pageBytes = pageBytes;
    this.starts = new Float64Array(capacity);
    this.ends = new Float64Array(capacity);
    this.fileEnds = new Float64Array(capacity);
    this.offsets = new Float64Array(capacity);
    this.flags = new Uint8Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  /** Adds a program header of type PT_LOAD; leaves out one that is not in whole pages, which no kernel writes. */
  add(row: Buffer): void {
    const address = row.readBigUInt64LE(16);
    const [fileBytes, memoryBytes] = [row.readBigUInt64LE(32), row.readBigUInt64LE(40)];
    const page = BigInt(this.pageBytes);
    const isWhole = address % page === 0n && fileBytes % page === 0n && fileBytes <= memoryBytes;
    if (!isWhole || memoryBytes === 0n || address + memoryBytes > 1n << 64n) return;
    const index = this.count++;
    const start = Number(address / page);
    this.starts[index] = start;
    this.ends[index] = start + Number((memoryBytes + page - 1n) / page);
    this.fileEnds[index] = start + Number(fileBytes / page);
    this.offsets[index] = Number(row.readBigUInt64LE(8));
    this.flags[index] = row.readUInt32LE(4) & 7;
  }

  /** Puts the segments into the order of their addresses, where the kernel did not. */
  sort(): void {
    const isSorted = this.starts.every(
      (start, index) =>
        index === 0 || index >= this.count || start >= (this.starts[index - 1] ?? 0),
    );
    if (isSorted) return;
    const order = Array.from({ length: this.count }, (_, index) => index).sort(
      (a, b) => (this.starts[a] ?? 0) - (this.starts[b] ?? 0),
    );
    const sorted = (values: Float64Array) =>
      Float64Array.from(order, (index) => values[index] ?? 0);
    this.flags = Uint8Array.from(order, (index) => this.flags[index] ?? 0);
    [this.starts, this.ends] = [sorted(this.starts), sorted(this.ends)];
    [this.fileEnds, this.offsets] = [sorted(this.fileEnds), sorted(this.offsets)];
  }

  at(index: number): CoreSegment {
    return {
      start: this.starts[index] ?? 0,
      end: this.ends[index] ?? 0,
      fileEnd: this.fileEnds[index] ?? 0,
      flags: this.flags[index] ?? 0,
      offset: this.offsets[index] ?? 0,
    };
  }

  /** Returns the index of the last segment that begins at or before a page; -1 where there is none. */
  before(page: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.starts[middle] ?? 0) <= page) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Returns the index of the segment whose written part has a page; -1 where none has. */
  find(page: number): number {
    const index = this.before(page);
    return index >= 0 && page < (this.fileEnds[index] ?? 0) ? index : -1;
  }
}

/** Whether the process may write to it. */
export function isWritable({ flags }: Pick<CoreSegment, "flags">): boolean {
  return (flags & PF_W) !== 0;
}

/** Whether it holds code. */
export function isExecutable({ flags }: Pick<CoreSegment, "flags">): boolean {
  return (flags & PF_X) !== 0;
}
