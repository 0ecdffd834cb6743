// Copies pages of the crashed process into a file in memory, each once, and reads in what it has copied.
import { readSync, writeSync } from "node:fs";
import type { CoreSegments } from "./core-segments.ts";
import type { MappedFiles } from "./mapped-files.ts";
import { PAGE, type PageMemory } from "./page-memory.ts";

/** Where pages come from and go to. */
export interface CopyContext {
  memory: PageMemory;
  segments: CoreSegments;
  files: MappedFiles;
  /** The file that the pages go to, from its beginning. */
  space: number;
  /** How many pages are kept at most. */
  maxPages: number;
}

/** Thrown by a copier that was stopped. */
export class CopyStopped extends Error {}

/** Pages in one read. */
const READ_PAGES = 64;
const STATES_MAX = 4096;
/** In place of a page's place in the file: it is all zeros; it cannot be had. */
export const [ZEROS, MISSING] = [-1, -2];

/** The pages of one process. */
export class PageCopier {
  /** Each page that was wanted: its place in the file, counted in pages; ZEROS or MISSING. */
  readonly places = new Map<number, number>();
  /** How many pages are kept. */
  kept = 0;
  private copied = 0;
  private readonly context: CopyContext;
  private readonly block: Buffer;
  private readonly stopping = Promise.withResolvers<never>();
  private isStopped = false;

  constructor(context: CopyContext) {
    this.context = context;
    this.block = Buffer.alloc(READ_PAGES * context.segments.pageBytes);
    this.stopping.promise.catch(() => undefined);
  }

  /** From now on `take` throws CopyStopped, also one that waits for a read. */
  stop(): void {
    this.isStopped = true;
    this.stopping.reject(new CopyStopped());
  }

  get isFull(): boolean {
    return this.kept >= this.context.maxPages;
  }

  /**
   * Copies the pages from `first` up to `end`, as far as the core would have them and there is room. `asKernels`: they
   * are the kernel's, which has them also where the process never touched them. Throws CopyStopped.
   */
  async take(first: number, end: number, asKernels = false): Promise<void> {
    const { segments } = this.context;
    for (let index = Math.max(0, segments.before(first)); index < segments.length; index++) {
      const segment = segments.at(index);
      if (segment.start >= end || this.isFull) return;
      const from = Math.max(first, segment.start);
      const to = Math.min(end, segment.fileEnd);
      for (let at = from; at < to && !this.isFull; at += STATES_MAX)
        await this.takePart(at, Math.min(to, at + STATES_MAX), asKernels);
    }
  }

  private async takePart(from: number, to: number, asKernels: boolean): Promise<void> {
    const { maxPages } = this.context;
    const [first, end] = this.unknownPart(from, to);
    if (first >= end) return;
    const states = asKernels
      ? new Uint8Array(end - first).fill(PAGE.there)
      : await this.orStopped(this.context.memory.states(first, end - first));
    for (let page = first; page < end && !this.isFull;) {
      const state = states[page - first];
      if (this.places.has(page)) page++;
      else if (state !== PAGE.there) this.keepWithoutBytes(page++, state);
      else {
        const runEnd = Math.min(end, page + READ_PAGES, page + maxPages - this.kept);
        let next = page + 1;
        while (next < runEnd && states[next - first] === PAGE.there && !this.places.has(next))
          next++;
        page += await this.copyRun(page, next - page);
      }
    }
  }

  /** The part without the pages at both ends that are known already. */
  private unknownPart(from: number, to: number): [number, number] {
    let [first, end] = [from, to];
    while (first < end && this.places.has(first)) first++;
    while (first < end && this.places.has(end - 1)) end--;
    return [first, end];
  }

  /** What nobody has touched is zeros, unless a file has it: the kernel writes zeros too. */
  private keepWithoutBytes(page: number, state: number | undefined): void {
    const isZeros = state === PAGE.untouched && !this.context.files.has(page);
    this.places.set(page, isZeros ? ZEROS : MISSING);
    if (isZeros) this.kept++;
  }

  /** Returns how many pages are done with. */
  private async copyRun(page: number, count: number): Promise<number> {
    const { memory, space, segments } = this.context;
    const block = this.block.subarray(0, count * segments.pageBytes);
    const bytes = await this.orStopped(memory.read(page, block));
    const pages = bytes / segments.pageBytes;
    if (pages === 0) {
      this.places.set(page, MISSING);
      return 1;
    }
    writeSync(space, block, 0, bytes, this.copied * segments.pageBytes);
    for (let index = 0; index < pages; index++) this.places.set(page + index, this.copied + index);
    this.copied += pages;
    this.kept += pages;
    return pages;
  }

  /** Reads what was copied; fewer bytes where the next page was not. */
  read(address: bigint, sizeBytes: number): Buffer {
    const { space, segments } = this.context;
    const { pageBytes } = segments;
    const into = Buffer.allocUnsafe(sizeBytes);
    let filled = 0;
    while (filled < sizeBytes) {
      const at = address + BigInt(filled);
      const inPage = Number(at % BigInt(pageBytes));
      const place = this.places.get(Number(at / BigInt(pageBytes))) ?? MISSING;
      if (place === MISSING) break;
      const count = Math.min(sizeBytes - filled, pageBytes - inPage);
      if (place === ZEROS) into.fill(0, filled, filled + count);
      else readSync(space, into, filled, count, place * pageBytes + inPage);
      filled += count;
    }
    return into.subarray(0, filled);
  }

  private orStopped<T>(reading: Promise<T>): Promise<T> {
    return this.isStopped ? this.stopping.promise : Promise.race([reading, this.stopping.promise]);
  }
}
