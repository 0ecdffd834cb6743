// What explaining a crash needs of the held process, copied while its core drains: stacks, the heads of what it has
// mapped, the C library's message. Nothing here may wait for anybody: only pages are read that are there (another may be
// a trap: userfaultfd(2), a FUSE server), by reads that are given up in the end, and of mapped files only the place is
// opened (O_PATH).
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { isStillHeld, type HeldProcess } from "../../host/held-process.ts";
import type { ExcerptTable } from "../../model/crash-excerpt.ts";
import { oneLine } from "../../model/printable.ts";
import { PAGE, type PageMemory } from "../small-core/page-memory.ts";
import type { HeadFacts } from "./core-head.ts";
import { findInterrupted } from "./interrupted-stack.ts";

export interface HeldCopy extends Pick<ExcerptTable, "ranges" | "modules" | "threadNames"> {
  /** Of `modules`, in their order; the caller's to close. */
  descriptors: number[];
  /** As the process saw the files, in the same order. */
  paths: string[];
  /** Which of them is the program itself; undefined where that is not known. */
  program: number | undefined;
  /** Where the file ends now. */
  endBytes: number;
}

/** A copy that holds nothing yet; its file ends at endBytes. */
export function emptyCopy(endBytes: number): HeldCopy {
  return {
    ranges: [],
    modules: [],
    threadNames: {},
    descriptors: [],
    paths: [],
    program: undefined,
    endBytes,
  };
}

type MappedFile = HeadFacts["files"][number];

const CRASHED_STACK_BYTES = 256 << 10;
const STACK_BYTES = 32 << 10;
const VDSO_BYTES = 16 << 10;
/** The C library's variables take 50 KiB; those of a static program stand before and among them. */
const LIBRARY_DATA_BYTES = 512 << 10;
const MESSAGE_BYTES = 1024;
const MESSAGES_MAX = 64;
const NAMES_MAX = 128;
/** Pages that a stack's overflow may have left out before the first that is there. */
const ABSENT_PAGES_MAX = 4;
/** Signal handlers that interrupted each other, on stacks of their own. */
const INTERRUPTED_MAX = 4;
const O_PATH = 0x200000;
const PAGE_MAX_BYTES = 64 << 10;
const SIGABRT = 6;

/** Where it comes from and goes to. */
export interface CopyContext {
  procDir: string;
  held: HeldProcess;
  /** A thread that lives: the first one may have ended. */
  tid: number;
  /** The process's memory, which the copier closes. */
  pages: PageMemory;
  /** The file that it goes to, from startBytes on. */
  space: number;
  startBytes: number;
}

/** Copies what explaining needs out of one held process. */
export class HeldCopier {
  private readonly held: HeldProcess;
  private readonly pages: PageMemory;
  private readonly space: number;
  private readonly procDir: string;
  private readonly thread: string;
  private readonly copy: HeldCopy;
  private readonly block = Buffer.alloc(CRASHED_STACK_BYTES + 2 * PAGE_MAX_BYTES);
  private readonly stopping = Promise.withResolvers<never>();

  constructor({ procDir, held, tid, pages, space, startBytes }: CopyContext) {
    this.procDir = procDir;
    this.held = held;
    this.space = space;
    // By the thread's id as a process's: below task/ there is no map_files (fs/proc/base.c).
    this.thread = `${procDir}/${tid}`;
    this.pages = pages;
    this.stopping.promise.catch(() => undefined);
    this.copy = emptyCopy(startBytes);
  }

  /** Gives way to the drain between its steps. Throws where the process is another one by now. */
  async run(facts: HeadFacts, mayShowMemory: boolean): Promise<HeldCopy> {
    try {
      for (const [index, { stackPointer }] of facts.threads.entries()) {
        if (index === 0) await this.copyCrashedStack(stackPointer, facts);
        else await this.copyRange(stackPointer & ~15n, STACK_BYTES, facts);
      }
      if (facts.vdso !== undefined) await this.copyVdso(facts.vdso, facts);
      for (const [index, file] of facts.files.entries()) {
        this.takeFile(file, facts.programHeaders);
        if (index % 16 === 15) await this.turn();
      }
      this.nameThreads();
      if (mayShowMemory && facts.signal === SIGABRT) await this.copyMessages(facts);
      if (!isStillHeld(this.procDir, this.held)) throw new Error("the process went away meanwhile");
      return this.copy;
    } catch (error) {
      for (const fd of this.copy.descriptors) closeSync(fd);
      throw error;
    } finally {
      this.pages.close();
    }
  }

  /** The file is not its own any more: nothing more is written to it. `run` throws, also where it waits for a read. */
  stop(): void {
    this.stopping.reject(new Error("it took too long"));
  }

  private async turn(): Promise<void> {
    await this.orStopped(turn());
  }

  private orStopped<T>(step: Promise<T>): Promise<T> {
    return Promise.race([this.stopping.promise, step]);
  }

  /** The stack, and those that a signal's handler on it interrupted. */
  private async copyCrashedStack(stackPointer: bigint, facts: HeadFacts): Promise<void> {
    let next: bigint | undefined = stackPointer;
    for (let count = 0; count <= INTERRUPTED_MAX && next !== undefined; count++) {
      const start = next & ~15n;
      const bytes = await this.copyRange(start, CRASHED_STACK_BYTES, facts);
      next = findInterrupted(bytes, facts.isArm, (address) =>
        this.copy.ranges.some((range) => isInside(address, range)),
      );
    }
  }

  /** The kernel's own pages, which are there although the process may never have touched them. */
  private async copyVdso(address: bigint, { pageBytes }: HeadFacts): Promise<void> {
    const block = Buffer.alloc(Math.max(VDSO_BYTES, pageBytes));
    const first = Number(address / BigInt(pageBytes));
    const count = await this.orStopped(this.pages.read(first, block));
    if (count > 0) this.keep(address, block.subarray(0, Math.min(count, VDSO_BYTES)));
  }

  private takeFile({ start, end, path: name }: MappedFile, headers = -1n): void {
    const [from, to] = [start.toString(16), end.toString(16)];
    try {
      const path = `${this.thread}/map_files/${from}-${to}`;
      this.copy.descriptors.push(openSync(path, O_PATH));
      this.copy.modules.push({ start: from, end: to });
      this.copy.paths.push(name);
      if (headers >= start && headers < end) this.copy.program = this.copy.modules.length - 1;
    } catch {
      // The explainer says of a module without a descriptor that it was not to be had.
    }
  }

  /** The core has a thread's id as its own pid namespace does. */
  private nameThreads(): void {
    const tasks = `${this.procDir}/${this.held.pid}/task`;
    for (const tid of readdirSync(tasks).slice(0, NAMES_MAX)) {
      const status = readFileSync(`${tasks}/${tid}/status`, "utf8");
      const name = /^Name:\t(.*)$/m.exec(status)?.[1];
      const inner = /^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? tid;
      if (name !== undefined) this.copy.threadNames[inner] = oneLine(name);
    }
  }

  /** glibc keeps its last words on pages of their own: their length in whole pages, then the text. */
  private async copyMessages(facts: HeadFacts): Promise<void> {
    const { libraryData, pageBytes } = facts;
    if (libraryData === undefined) return;
    const seen = new Set<bigint>();
    for (let at = 0; at < LIBRARY_DATA_BYTES;) {
      const address = libraryData + BigInt(at);
      const bytes = await this.read(address, LIBRARY_DATA_BYTES - at, pageBytes);
      const data = Buffer.from(bytes);
      if (data.length > 0) this.keep(address, data);
      await this.copyMessagesOf(data, pageBytes, seen);
      // What was never written to is not there, or still the file's.
      at += Math.max(data.length, pageBytes);
    }
  }

  private async copyMessagesOf(data: Buffer, pageBytes: number, seen: Set<bigint>): Promise<void> {
    for (let at = 0; at + 8 <= data.length && seen.size < MESSAGES_MAX; at += 8) {
      if (data.readUInt16LE(at) % pageBytes !== 0 || data.readUInt32LE(at + 4) === 0) continue;
      const address = data.readBigUInt64LE(at);
      if (address % BigInt(pageBytes) !== 0n || seen.has(address)) continue;
      seen.add(address);
      const message = await this.read(address, MESSAGE_BYTES, pageBytes);
      const length = message.length < 8 ? 0 : message.readUInt32LE(0);
      if (length > 0 && length % pageBytes === 0 && length <= 1 << 20) this.keep(address, message);
    }
  }

  private async copyRange(
    address: bigint,
    sizeBytes: number,
    { pageBytes }: HeadFacts,
  ): Promise<Buffer> {
    const page = BigInt(pageBytes);
    let start = address;
    for (let absent = 0; absent < ABSENT_PAGES_MAX; absent++) {
      const bytes = await this.read(start, sizeBytes, pageBytes);
      if (bytes.length > 0) return this.keep(start, bytes);
      start = (start / page + 1n) * page;
    }
    return Buffer.alloc(0);
  }

  /** As far as page after page is there; valid until the next read. */
  private async read(address: bigint, sizeBytes: number, pageBytes: number): Promise<Buffer> {
    if (address < 0n || address >= 1n << 62n) return Buffer.alloc(0);
    const first = Number(address / BigInt(pageBytes));
    const into = Number(address % BigInt(pageBytes));
    const length = Math.min(sizeBytes, CRASHED_STACK_BYTES);
    const states = await this.orStopped(
      this.pages.states(first, Math.ceil((into + length) / pageBytes)),
    );
    const absent = states.findIndex((state) => state !== PAGE.there);
    const block = this.block.subarray(0, (absent === -1 ? states.length : absent) * pageBytes);
    const count = block.length === 0 ? 0 : await this.orStopped(this.pages.read(first, block));
    return block.subarray(into, Math.min(count, into + length));
  }

  private keep(address: bigint, bytes: Buffer): Buffer {
    const offset = this.copy.endBytes;
    writeSync(this.space, bytes, 0, bytes.length, offset);
    this.copy.endBytes += bytes.length;
    this.copy.ranges.push({ address: address.toString(16), offset, sizeBytes: bytes.length });
    return bytes;
  }
}

function isInside(address: bigint, range: { address: string; sizeBytes: number }): boolean {
  const start = BigInt(`0x${range.address}`);
  return address >= start && address < start + BigInt(range.sizeBytes);
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
