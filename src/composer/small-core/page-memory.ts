// The port to a crashed process's memory, page by page: of the process while the kernel holds it (held-pages.ts), or of
// its core in a file (file-pages.ts).

/** What a page is. */
export const PAGE = {
  /** It cannot be had without waiting for somebody. */
  absent: 0,
  there: 1,
  /** The process has never touched it. */
  untouched: 2,
} as const;

/** Memory in pages; a page number is an address divided by the page's size. */
export interface PageMemory {
  /** Returns one of PAGE for each of `count` pages. */
  states(first: number, count: number): Promise<Uint8Array>;
  /** Fills `into` (whole pages) from a page on. Returns how many bytes could be read, whole pages. */
  read(first: number, into: Buffer): Promise<number>;
  close(): void;
}
