// Reads what a core tells about the process: its notes (elf(5), fs/binfmt_elf.c) and where its memory stands. The
// thread that crashed comes first. The input is hostile; model/core-notes.ts reads the few facts that a composer needs.
import { architectureOf, type Architecture, type Registers } from "./architecture.ts";
import {
  ET_CORE,
  parseElfHeader,
  PT_LOAD,
  PT_NOTE,
  type ElfHeader,
  type ProgramHeader,
} from "./elf-header.ts";
import { readNotes, untilNul, type Note } from "./elf-notes.ts";
import { parseFileMappings, type FileMapping } from "./file-mappings.ts";
import { FILE_NOTE_MAX_BYTES, NOTE_SEGMENTS_MAX, NOTES_MAX, THREADS_MAX } from "./limits.ts";
import { Malformed } from "./malformed.ts";
import type { RandomBytes } from "../model/random-bytes.ts";

/** One thread of the process. */
export interface CoreThread {
  tid: number;
  registers: Registers;
  programCounter: bigint;
}

/** The signal that killed the process. */
export interface SignalInfo {
  number: number;
  /** si_code; null where the core has no siginfo. */
  code: number | null;
  /** What stands where an address or, for a signal that was sent, pid and uid stand. */
  address: bigint;
}

/** The process, as its notes describe it. */
export interface CoreProcess {
  comm: string;
  pid: number;
  uid: number;
  gid: number;
}

/** A parsed core. */
export interface ElfCore {
  architecture: Architecture;
  threads: CoreThread[];
  /** Those beyond THREADS_MAX too. */
  threadCount: number;
  /** null where no note has it. */
  process: CoreProcess | null;
  signal: SignalInfo | null;
  mappings: FileMapping[];
  auxiliary: ReadonlyMap<bigint, bigint>;
  /** What has memory, by address. */
  segments: ProgramHeader[];
  /** Bits that pointer authentication may set in a code address (NT_ARM_PAC_MASK). */
  authenticationMask: bigint;
  incomplete: { what: string; why: string }[];
}

const [NT_PRSTATUS, NT_PRPSINFO, NT_AUXV] = [1, 3, 6];
const [NT_FILE, NT_SIGINFO, NT_ARM_PAC_MASK] = [0x46494c45, 0x53494749, 0x406];
/** struct elf_prstatus: pr_cursig, pr_pid, pr_reg. */
const [SIGNAL_AT, TID_AT, REGISTERS_AT] = [12, 32, 112];
const STATUS_MAX_BYTES = 512;
const PROCESS_BYTES = 56;
/** Program headers of a usual core: one that has more has its notes behind them. */
const HEADER_MAX_BYTES = 64 << 10;
const AUXILIARY_MAX_BYTES = 4096;

/** Throws Malformed for what is no core. What is cut short or left out stands in `incomplete`. */
export function parseElfCore(bytes: RandomBytes): ElfCore {
  const header = parseElfHeader(bytes);
  if (header.type !== ET_CORE) throw new Malformed("it is an ELF file, but no core");
  const core: ElfCore = {
    architecture: architectureOf(header.machine),
    threads: [],
    threadCount: 0,
    process: null,
    signal: null,
    mappings: [],
    auxiliary: new Map(),
    segments: memorySegments(header),
    authenticationMask: 0n,
    incomplete: [],
  };
  let left = NOTES_MAX;
  for (const segment of noteSegments(header)) left -= readSegmentNotes(bytes, segment, core, left);
  if (left <= 0) core.incomplete.push({ what: "notes", why: "there are too many" });
  noteLimits(core, header);
  return core;
}

/** Returns where a core's head ends, which is its program headers and its notes, in bytes. Throws Malformed. */
export function endOfNotes(bytes: RandomBytes): number {
  const notes = noteSegments(parseElfHeader(bytes));
  return Math.max(HEADER_MAX_BYTES, ...notes.map(({ offset, fileBytes }) => offset + fileBytes));
}

function memorySegments({ segments }: ElfHeader): ProgramHeader[] {
  return segments
    .filter(({ type, memoryBytes }) => type === PT_LOAD && memoryBytes > 0n)
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
}

function noteSegments({ segments }: ElfHeader): ProgramHeader[] {
  return segments.filter(({ type }) => type === PT_NOTE).slice(0, NOTE_SEGMENTS_MAX);
}

/** Returns how many there were. */
function readSegmentNotes(
  bytes: RandomBytes,
  segment: ProgramHeader,
  core: ElfCore,
  maxNotes: number,
): number {
  if (segment.offset + segment.fileBytes > bytes.sizeBytes)
    core.incomplete.push({ what: "notes", why: "the core ends before its notes do" });
  let count = 0;
  for (const note of readNotes(bytes, segment.offset, segment.fileBytes, maxNotes)) {
    readNote(note, core);
    count++;
  }
  return count;
}

function readNote(note: Note, core: ElfCore): void {
  switch (note.type) {
    case NT_PRSTATUS:
      if (note.owner === "CORE") readThread(note.data(STATUS_MAX_BYTES), core);
      return;
    case NT_PRPSINFO:
      core.process ??= readProcess(note.data(PROCESS_BYTES));
      return;
    case NT_SIGINFO:
      // gdb's own cores have one for every thread.
      if (core.threadCount <= 1) core.signal = readSignal(note.data(24)) ?? core.signal;
      return;
    case NT_AUXV:
      if (core.auxiliary.size === 0) core.auxiliary = readAuxiliary(note.data(AUXILIARY_MAX_BYTES));
      return;
    case NT_FILE:
      if (core.mappings.length > 0) return;
      if (note.sizeBytes > FILE_NOTE_MAX_BYTES)
        core.incomplete.push({ what: "mappings", why: "there are too many mapped files" });
      core.mappings = parseFileMappings(note.data(FILE_NOTE_MAX_BYTES));
      return;
    case NT_ARM_PAC_MASK:
      // struct user_pac_mask: data_mask, insn_mask.
      if (note.owner === "LINUX" && note.sizeBytes >= 16)
        core.authenticationMask = note.data(16).readBigUInt64LE(8);
      return;
    default:
  }
}

function readThread(status: Buffer, core: ElfCore): void {
  const { statusOrder, statusProgramCounter } = core.architecture;
  const lastWord = Math.max(statusOrder.length - 1, statusProgramCounter);
  if (status.length < REGISTERS_AT + (lastWord + 1) * 8) return;
  core.threadCount++;
  // Without NT_SIGINFO (Linux before 3.7) only the crashing thread's status has a signal.
  if (core.threadCount === 1 && core.signal === null && status.readUInt16LE(SIGNAL_AT) > 0)
    core.signal = { number: status.readUInt16LE(SIGNAL_AT), code: null, address: 0n };
  if (core.threads.length >= THREADS_MAX) return;
  const word = (index: number) => status.readBigUInt64LE(REGISTERS_AT + index * 8);
  const registers: Registers = [];
  for (const [index, register] of statusOrder.entries())
    if (register >= 0) registers[register] = word(index);
  core.threads.push({
    tid: status.readUInt32LE(TID_AT),
    registers,
    programCounter: word(statusProgramCounter),
  });
}

function readProcess(info: Buffer): CoreProcess | null {
  if (info.length < PROCESS_BYTES) return null;
  return {
    comm: untilNul(info.subarray(40, 56)),
    pid: info.readUInt32LE(24),
    uid: info.readUInt32LE(16),
    gid: info.readUInt32LE(20),
  };
}

function readSignal(info: Buffer): SignalInfo | null {
  if (info.length < 24 || info.readInt32LE(0) <= 0) return null;
  return {
    number: info.readInt32LE(0),
    code: info.readInt32LE(8),
    address: info.readBigUInt64LE(16),
  };
}

function readAuxiliary(vector: Buffer): Map<bigint, bigint> {
  const values = new Map<bigint, bigint>();
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    const type = vector.readBigUInt64LE(at);
    if (type === 0n) break;
    values.set(type, vector.readBigUInt64LE(at + 8));
  }
  return values;
}

function noteLimits(core: ElfCore, { segmentsLeftOut }: ElfHeader): void {
  const { threadCount, incomplete } = core;
  if (threadCount === 0)
    incomplete.push({ what: "threads", why: "the core has no thread's registers" });
  if (threadCount > THREADS_MAX)
    incomplete.push({
      what: "threads",
      why: `${threadCount - THREADS_MAX} threads are only counted`,
    });
  if (segmentsLeftOut > 0)
    incomplete.push({ what: "memory", why: `${segmentsLeftOut} program headers are left out` });
}
