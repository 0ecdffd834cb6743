// What explaining a crash needs of the held process, copied while its core drains: stacks, the heads of what it has
// mapped, the C library's message. Nothing here may wait for anybody: only pages are read that are there and belong to
// no file (another may be a trap: userfaultfd(2), a FUSE server that takes it back), and of mapped files only the place
// is opened (O_PATH).
import { closeSync, openSync, read, readdirSync, readFileSync, writeSync } from "node:fs";
import { isStillHeld, type HeldProcess } from "../../host/held-process.ts";
import type { ExcerptTable } from "../../model/crash-excerpt.ts";
import { oneLine } from "../../model/printable.ts";
import type { HeadFacts } from "./core-head.ts";
import { HeldPages } from "./held-pages.ts";

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

type MappedFile = HeadFacts["files"][number];

const CRASHED_STACK_BYTES = 256 << 10;
const STACK_BYTES = 32 << 10;
const VDSO_BYTES = 16 << 10;
/** The C library's variables take 50 KiB; those of a static program stand before and among them. */
const LIBRARY_DATA_BYTES = 512 << 10;
const DATA_STEP_BYTES = 64 << 10;
const MESSAGE_BYTES = 1024;
const MESSAGES_MAX = 64;
const NAMES_MAX = 128;
/** Pages that a stack's overflow may have left out before the first that is there. */
const ABSENT_PAGES_MAX = 4;
/** Signal handlers that interrupted each other, on stacks of their own. */
const INTERRUPTED_MAX = 4;
const SCAN_BYTES = 64 << 10;
const O_PATH = 0x200000;
const SIGABRT = 6;

/** Copies what explaining needs out of one held process. */
export class HeldCopier {
  private readonly held: HeldProcess;
  private readonly pages: HeldPages;
  private readonly space: number;
  private readonly procDir: string;
  private readonly thread: string;
  private readonly copy: HeldCopy;
  private isStopped = false;

  /**
   * `space` is the file that it goes to, from startBytes on. tid is a thread that lives: the first one may have ended.
   * Throws where the process cannot be looked into.
   */
  constructor(procDir: string, held: HeldProcess, tid: number, space: number, startBytes: number) {
    this.procDir = procDir;
    this.held = held;
    this.space = space;
    // By the thread's id as a process's: below task/ there is no map_files (fs/proc/base.c).
    this.thread = `${procDir}/${tid}`;
    this.pages = new HeldPages(this.thread, CRASHED_STACK_BYTES);
    this.copy = {
      ranges: [],
      modules: [],
      threadNames: {},
      descriptors: [],
      paths: [],
      program: undefined,
      endBytes: startBytes,
    };
  }

  /** Gives way to the drain between its steps. Throws where the process is another one by now. */
  async run(facts: HeadFacts, mayShowMemory: boolean): Promise<HeldCopy> {
    try {
      for (const [index, { stackPointer }] of facts.threads.entries()) {
        if (index === 0) this.copyCrashedStack(stackPointer, facts);
        else this.copyRange(stackPointer & ~15n, STACK_BYTES, facts);
        await this.turn();
      }
      if (facts.vdso !== undefined) await this.copyVdso(facts.vdso);
      for (const [index, file] of facts.files.entries()) {
        this.takeFile(file, facts.programHeaders);
        if (index % 16 === 15) await this.turn();
      }
      this.nameThreads();
      if (mayShowMemory && facts.signal === SIGABRT) this.copyMessages(facts);
      if (!isStillHeld(this.procDir, this.held)) throw new Error("the process went away meanwhile");
      return this.copy;
    } catch (error) {
      for (const fd of this.copy.descriptors) closeSync(fd);
      throw error;
    } finally {
      this.pages.close();
    }
  }

  /** The file is not its own any more: nothing more is written to it. */
  stop(): void {
    this.isStopped = true;
  }

  private async turn(): Promise<void> {
    await turn();
    if (this.isStopped) throw new Error("it took too long");
  }

  /** The stack, and those that a signal's handler on it interrupted. */
  private copyCrashedStack(stackPointer: bigint, facts: HeadFacts): void {
    let next: bigint | undefined = stackPointer;
    for (let count = 0; count <= INTERRUPTED_MAX && next !== undefined; count++) {
      const start = next & ~15n;
      const bytes = this.copyRange(start, CRASHED_STACK_BYTES, facts);
      next = findInterrupted(bytes.subarray(0, SCAN_BYTES), facts.isArm, (address) =>
        this.copy.ranges.some((range) => isInside(address, range)),
      );
    }
  }

  /** The kernel's own pages, unless the process says of others that it is there: not on this thread. */
  private async copyVdso(address: bigint): Promise<void> {
    const block = Buffer.alloc(VDSO_BYTES);
    const count = await new Promise<number>((resolve) => {
      read(this.pages.memory, block, 0, block.length, address, (error, length) =>
        resolve(error === null ? length : 0),
      );
    });
    if (this.isStopped) throw new Error("it took too long");
    if (count > 0) this.keep(address, block.subarray(0, count));
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
  private copyMessages(facts: HeadFacts): void {
    const { libraryData, pageBytes } = facts;
    if (libraryData === undefined) return;
    const seen = new Set<bigint>();
    for (let at = 0; at < LIBRARY_DATA_BYTES; at += DATA_STEP_BYTES)
      for (const data of this.copyPages(libraryData + BigInt(at), DATA_STEP_BYTES, pageBytes))
        this.copyMessagesOf(data, pageBytes, seen);
  }

  private copyMessagesOf(data: Buffer, pageBytes: number, seen: Set<bigint>): void {
    for (let at = 0; at + 8 <= data.length && seen.size < MESSAGES_MAX; at += 8) {
      if (data.readUInt16LE(at) % pageBytes !== 0 || data.readUInt32LE(at + 4) === 0) continue;
      const address = data.readBigUInt64LE(at);
      if (address % BigInt(pageBytes) !== 0n || seen.has(address)) continue;
      seen.add(address);
      const message = this.pages.read(address, MESSAGE_BYTES, pageBytes);
      const length = message.length < 8 ? 0 : message.readUInt32LE(0);
      if (length > 0 && length % pageBytes === 0 && length <= 1 << 20) this.keep(address, message);
    }
  }

  /** All pages there that are in memory and no file's: what was never written to is still the file's. */
  private copyPages(address: bigint, sizeBytes: number, pageBytes: number): Buffer[] {
    const copied: Buffer[] = [];
    for (let at = 0; at < sizeBytes;) {
      const bytes = this.pages.read(address + BigInt(at), sizeBytes - at, pageBytes);
      if (bytes.length > 0) copied.push(Buffer.from(this.keep(address + BigInt(at), bytes)));
      at += Math.max(bytes.length, pageBytes);
    }
    return copied;
  }

  private copyRange(address: bigint, sizeBytes: number, { pageBytes }: HeadFacts): Buffer {
    const page = BigInt(pageBytes);
    let start = address;
    for (let absent = 0; absent < ABSENT_PAGES_MAX; absent++) {
      const bytes = this.pages.read(start, sizeBytes, pageBytes);
      if (bytes.length > 0) return this.keep(start, bytes);
      start = (start / page + 1n) * page;
    }
    return Buffer.alloc(0);
  }

  private keep(address: bigint, bytes: Buffer): Buffer {
    const offset = this.copy.endBytes;
    writeSync(this.space, bytes, 0, bytes.length, offset);
    this.copy.endBytes += bytes.length;
    this.copy.ranges.push({ address: address.toString(16), offset, sizeBytes: bytes.length });
    return bytes;
  }
}

/**
 * The stack pointer in a signal frame: flags, link and stack of its ucontext, then the registers
 * (arch/x86/kernel/signal.c, arch/arm64/kernel/signal.c).
 */
export function findInterrupted(
  stack: Buffer,
  isArm: boolean,
  isKnown: (address: bigint) => boolean,
): bigint | undefined {
  const [stackPointerAt, checkAt, lastAt] = isArm ? [432, 448, 456] : [160, 184, 192];
  for (let at = 0; at + lastAt <= stack.length; at += 8) {
    if (stack.readUInt32LE(at) > 31 || stack.readUInt32LE(at + 4) !== 0) continue;
    if (stack.readUInt32LE(at + 8) !== 0 || stack.readUInt32LE(at + 12) !== 0) continue;
    // User code's segment; a processor state without exception level.
    const check = stack.readUInt32LE(at + checkAt);
    if (isArm ? (check & 0x1f) !== 0 : (check & 0xffff) !== 0x33) continue;
    const address = stack.readBigUInt64LE(at + stackPointerAt);
    if (address > 4096n && address < 1n << 56n && !isKnown(address)) return address;
  }
  return undefined;
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
