// Where the drain gets the core's bytes from, where the owner does not want all of each core: decides at the core's
// beginning whether this one is taken whole, and otherwise makes a small one of it. Whatever prevents that, the whole
// core is drained instead.
import { closeSync, readSync, writeSync } from "node:fs";
import { openMemorySpace } from "../../host/memory-file.ts";
import { readPageSize } from "../../host/page-size.ts";
import { describeError } from "../../model/app-error.ts";
import type { CoreContent } from "../../model/core-content.ts";
import type { Attempts } from "../attempt.ts";
import type { CoreBytes } from "../core-input.ts";
import {
  countSegments,
  HEADER_BYTES,
  parseCoreHeader,
  readFront,
  SEGMENT_BYTES,
  type CoreFront,
} from "./core-front.ts";
import {
  makeSmallCore,
  openPages,
  sizeOf,
  type MemoryPlace,
  type SmallCore,
} from "./small-core.ts";

/** What the owner, and the pod, want of a core. */
export interface WantedContent {
  content: CoreContent;
  /** For "auto": how long a core may be that is taken whole, in bytes. */
  fullMaxBytes: number;
  /** Bytes of core after which the dump is cut; 0 is no limit. */
  maxCoreBytes: number;
}

/** What the source needs. */
export interface CoreSourceContext {
  input: CoreBytes;
  /** Called at the core's first byte. */
  onFirstBytes: () => void;
  /** Called where the core becomes a small one, before its first byte is read from here. */
  onSmall: (facts: ContentFacts) => Promise<void>;
  /** Called after the first byte; must settle soon. */
  wanted: () => Promise<WantedContent>;
  /** undefined where the process is gone or unknown. */
  place: MemoryPlace | undefined;
  /** The length of the core's file; undefined for a core that comes from the kernel. */
  fileBytes: number | undefined;
  attempts: Attempts;
  procDir: string;
  /** How long memory is copied at most. */
  maxMs: number;
}

/** What a dump says about its core. */
export interface ContentFacts {
  core_content: "full" | "stacks";
  core_omitted_bytes: number;
}

/** The label in dump-info's `missing`. */
const LABEL = "core_content";
const READ_BYTES = 64 * 1024;

/** The source of one core. */
export class CoreSource implements CoreBytes {
  private readonly context: CoreSourceContext;
  private readonly block = Buffer.alloc(READ_BYTES);
  /** The core's first bytes as they came, for where the whole core is drained. */
  private readonly front = openMemorySpace("core-front");
  private frontBytes = 0;
  private beginning: Promise<void> | undefined;
  private small: SmallCore | undefined;
  /** The next piece, and how much of it is read. */
  private at = { piece: 0, bytes: 0 };
  private frontRead = 0;
  private isClosed = false;
  /** Of the core that is read from here; undefined before it is known. */
  maxCoreBytes: number | undefined;
  private known: ContentFacts = { core_content: "full", core_omitted_bytes: 0 };

  constructor(context: CoreSourceContext) {
    this.context = context;
  }

  /** Valid once the first bytes were read. */
  get facts(): ContentFacts {
    return this.known;
  }

  /** False where the process ended before its small core was made. */
  get isWhole(): boolean {
    return this.small?.isWhole !== false;
  }

  /** Settles when it is known what is read from here. Never rejects. */
  ready(): Promise<void> {
    this.beginning ??= this.begin();
    return this.beginning;
  }

  async readSome(block: Uint8Array, offset: number): Promise<number> {
    await this.ready();
    const into = block.subarray(offset);
    if (this.small !== undefined) return this.readSmall(this.small, into);
    const left = Math.min(this.frontBytes - this.frontRead, into.length);
    if (left === 0) return this.context.input.readSome(block, offset);
    const count = readSync(this.front, into, 0, left, this.frontRead);
    this.frontRead += count;
    return count;
  }

  skipHole(unitBytes: number, maxUnits: number): number {
    const isThrough = this.small === undefined && this.frontRead === this.frontBytes;
    return isThrough && this.beginning !== undefined
      ? this.context.input.skipHole(unitBytes, maxUnits)
      : 0;
  }

  /** To be called when nothing more is read. */
  close(): void {
    this.isClosed = true;
    closeSync(this.front);
    this.closeSmall();
  }

  private async begin(): Promise<void> {
    const { attempts, input, maxMs, onSmall } = this.context;
    try {
      const found = await this.decide();
      if (found === undefined) return;
      const { front, place } = found;
      const memory = openPages(place, front);
      const { offset } = front.notes;
      const small = await makeSmallCore(
        front,
        memory,
        async (notes) => {
          const early = Math.max(0, this.frontBytes - offset);
          notes.push(this.read(offset, early));
          while (!notes.isWhole && !this.isClosed) {
            const count = await input.readSome(this.block, 0);
            if (count === 0) return;
            notes.push(this.block.subarray(0, count));
          }
        },
        maxMs,
      );
      this.small = small;
      if (this.isClosed) return this.closeSmall();
      const core_omitted_bytes = Math.max(0, front.expectedBytes - small.sizeBytes);
      this.known = { core_content: "stacks", core_omitted_bytes };
      for (const why of small.lacks) attempts.record(LABEL, why);
      await onSmall(this.known);
    } catch (error) {
      attempts.record(LABEL, `the whole core is taken: ${describeError(error)}`);
    }
  }

  /** Reads the program headers; undefined where the whole core is wanted. */
  private async decide(): Promise<{ front: CoreFront; place: MemoryPlace } | undefined> {
    const { wanted, place, fileBytes, procDir } = this.context;
    await this.readFront(HEADER_BYTES);
    const { content, fullMaxBytes, maxCoreBytes } = await wanted();
    this.maxCoreBytes = maxCoreBytes;
    if (content === "full") return undefined;
    const header = parseCoreHeader(this.read(0, HEADER_BYTES));
    if (header === undefined) throw new Error("it is no core of this machine");
    await this.readFront(HEADER_BYTES + SEGMENT_BYTES);
    const count = countSegments(header, this.read(HEADER_BYTES, SEGMENT_BYTES));
    await this.readFront(HEADER_BYTES + count * SEGMENT_BYTES);
    const front = readFront(header, count, readPageSize(procDir), (at, size) =>
      this.read(at, size),
    );
    if (content === "auto" && front.expectedBytes <= fullMaxBytes) return undefined;
    if (place === undefined) throw new Error("nobody is held whose memory could be read");
    if (fileBytes !== undefined && fileBytes < front.expectedBytes)
      throw new Error("its file is cut short");
    return { front, place };
  }

  /** Reads until the front has sizeBytes bytes, or the input ends. */
  private async readFront(sizeBytes: number): Promise<void> {
    while (this.frontBytes < sizeBytes && !this.isClosed) {
      const count = await this.context.input.readSome(this.block, 0);
      if (count === 0) return;
      if (this.frontBytes === 0) this.context.onFirstBytes();
      writeSync(this.front, this.block, 0, count, this.frontBytes);
      this.frontBytes += count;
    }
  }

  private read(offset: number, sizeBytes: number): Buffer {
    const bytes = Buffer.alloc(Math.max(0, Math.min(sizeBytes, this.frontBytes - offset)));
    return bytes.subarray(0, readSync(this.front, bytes, 0, bytes.length, offset));
  }

  private readSmall({ pieces, notes, pages }: SmallCore, into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length) {
      const piece = pieces[this.at.piece];
      if (piece === undefined) break;
      const count = Math.min(into.length - filled, sizeOf(piece) - this.at.bytes);
      const part = into.subarray(filled, filled + count);
      if (piece.kind === "zeros") part.fill(0);
      else if (piece.kind === "bytes")
        part.set(piece.bytes.subarray(this.at.bytes, this.at.bytes + count));
      else
        readSync(
          piece.kind === "notes" ? notes : pages,
          part,
          0,
          count,
          piece.position + this.at.bytes,
        );
      filled += count;
      this.at.bytes += count;
      if (this.at.bytes === sizeOf(piece)) this.at = { piece: this.at.piece + 1, bytes: 0 };
    }
    return filled;
  }

  private closeSmall(): void {
    if (this.small === undefined) return;
    closeSync(this.small.notes);
    closeSync(this.small.pages);
    this.small = undefined;
  }
}
