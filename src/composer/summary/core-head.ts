// The core's first bytes, up to the end of its notes, kept as they pass; and what they tell of where the process's
// memory is worth copying: 64 bits, little-endian, x86-64 or aarch64, as src/explain reads. Hostile input.
import { readSync, writeSync } from "node:fs";
import { ElfBytes } from "../../model/elf-bytes.ts";

export interface HeadFacts {
  isArm: boolean;
  pageBytes: number;
  signal: number;
  /** The crashing one first. */
  threads: { tid: number; stackPointer: bigint }[];
  /** The first part of each mapped file. */
  files: { start: bigint; end: bigint; path: string }[];
  /** Where the program's own headers stand in memory, which tells its file from the libraries'. */
  programHeaders: bigint | undefined;
  /** Where the C library keeps its variables; of a static program, where it keeps its own. */
  libraryData: bigint | undefined;
  vdso: bigint | undefined;
}

/** Program headers and notes: 65,530 mappings have 3.6 MB of the one, 1,000 threads 11 MB of the other. */
const HEAD_MAX_BYTES = 8 << 20;
const THREADS_MAX = 64;
const FILES_MAX = 512;
const MAPPINGS_MAX = 20_000;
const NOTES_MAX = 4_000;
const FILE_NOTE_MAX_BYTES = 2 << 20;
const [PT_NOTE, ET_CORE, EM_X86_64, EM_AARCH64] = [4, 4, 62, 183];
const [NT_PRSTATUS, NT_AUXV, NT_FILE] = [1, 6, 0x46494c45];
const [HEADER_BYTES, SEGMENT_BYTES, NOTE_HEAD_BYTES] = [64, 56, 12];
/** struct elf_prstatus: pr_cursig, pr_pid, pr_reg. */
const [SIGNAL_AT, TID_AT, REGISTERS_AT] = [12, 32, 112];
const [AT_PHDR, AT_PAGESZ, AT_SYSINFO_EHDR] = [3n, 6n, 33n];
const PATH_MAX_BYTES = 1024;
const C_LIBRARY = /\/libc(?:-[\d.]+)?\.so(?:\.6)?$/;

/** Keeps the core's head, up to HEAD_MAX_BYTES, and reads what its notes tell. */
export class CoreHead {
  sizeBytes = 0;
  private readonly fd: number;
  private readonly onWhole: () => void;
  private wanted = HEADER_BYTES;
  private notes: { offset: number; end: number } | undefined;
  private isOver = false;

  /** Goes into the file `fd`, from its beginning. onWhole: all that is wanted is there. */
  constructor(fd: number, onWhole: () => void) {
    this.fd = fd;
    this.onWhole = onWhole;
  }

  push(bytes: Uint8Array): void {
    if (this.isOver) return;
    const taken = bytes.subarray(0, HEAD_MAX_BYTES - this.sizeBytes);
    writeSync(this.fd, taken, 0, taken.length, this.sizeBytes);
    this.sizeBytes += taken.length;
    this.plan();
    if (this.sizeBytes < Math.min(this.wanted, HEAD_MAX_BYTES)) return;
    this.isOver = true;
    this.onWhole();
  }

  /** undefined for what is no core that can be explained. */
  read(): HeadFacts | undefined {
    const isArm = this.machine() === EM_AARCH64;
    if (this.notes === undefined) return undefined;
    const facts: HeadFacts = {
      isArm,
      pageBytes: 4096,
      signal: 0,
      threads: [],
      files: [],
      programHeaders: undefined,
      libraryData: undefined,
      vdso: undefined,
    };
    let { offset } = this.notes;
    for (let count = 0; count < NOTES_MAX && offset + NOTE_HEAD_BYTES <= this.notes.end; count++) {
      const head = this.at(offset, NOTE_HEAD_BYTES);
      if (head.length < NOTE_HEAD_BYTES) break;
      const dataAt = offset + NOTE_HEAD_BYTES + padded(head.readUInt32LE(0));
      const dataBytes = head.readUInt32LE(4);
      this.readNote(head.readUInt32LE(8), dataAt, dataBytes, facts);
      if (facts.threads.length >= THREADS_MAX) break;
      offset = dataAt + padded(dataBytes);
    }
    return facts;
  }

  private readNote(type: number, at: number, sizeBytes: number, facts: HeadFacts): void {
    if (type === NT_PRSTATUS) readThread(this.at(at, Math.min(sizeBytes, 512)), facts);
    if (type === NT_AUXV) readAuxiliary(this.at(at, Math.min(sizeBytes, 4096)), facts);
    if (type === NT_FILE && facts.files.length === 0)
      readFiles(this.at(at, Math.min(sizeBytes, FILE_NOTE_MAX_BYTES)), facts);
  }

  /** 0 for what is no such core. */
  private machine(): number {
    const header = ElfBytes.of(this.at(0, HEADER_BYTES));
    if (header === undefined || header.length < HEADER_BYTES || !header.isWide) return 0;
    const machine = header.buffer.readUInt16LE(18);
    const isKnown = machine === EM_X86_64 || machine === EM_AARCH64;
    return isKnown && header.buffer[5] === 1 && header.u16(16) === ET_CORE ? machine : 0;
  }

  private plan(): void {
    if (this.notes !== undefined || this.sizeBytes < HEADER_BYTES) return;
    if (this.machine() === 0) {
      this.wanted = 0;
      return;
    }
    const header = this.at(0, HEADER_BYTES);
    const [table, count] = [Number(header.readBigUInt64LE(32)), header.readUInt16LE(56)];
    this.wanted = table + count * SEGMENT_BYTES;
    if (this.sizeBytes < this.wanted) return;
    const segments = this.at(table, count * SEGMENT_BYTES);
    for (let at = 0; at + SEGMENT_BYTES <= segments.length; at += SEGMENT_BYTES) {
      if (segments.readUInt32LE(at) !== PT_NOTE) continue;
      const offset = Number(segments.readBigUInt64LE(at + 8));
      this.notes = { offset, end: offset + Number(segments.readBigUInt64LE(at + 32)) };
      this.wanted = this.notes.end;
      return;
    }
  }

  private at(offset: number, sizeBytes: number): Buffer {
    const length = Math.min(sizeBytes, this.sizeBytes - offset);
    if (!(length > 0)) return Buffer.alloc(0);
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(this.fd, bytes, 0, length, offset));
  }
}

function readThread(status: Buffer, facts: HeadFacts): void {
  const stackPointerAt = REGISTERS_AT + (facts.isArm ? 31 : 19) * 8;
  if (status.length < stackPointerAt + 8) return;
  if (facts.threads.length === 0) facts.signal = status.readUInt16LE(SIGNAL_AT);
  facts.threads.push({
    tid: status.readUInt32LE(TID_AT),
    stackPointer: status.readBigUInt64LE(stackPointerAt),
  });
}

function readAuxiliary(vector: Buffer, facts: HeadFacts): void {
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    const [type, value] = [vector.readBigUInt64LE(at), vector.readBigUInt64LE(at + 8)];
    if (type === AT_PHDR) facts.programHeaders = value;
    if (type === AT_SYSINFO_EHDR) facts.vdso = value;
    if (type === AT_PAGESZ && value >= 4096n && value <= 65_536n) facts.pageBytes = Number(value);
  }
}

/** count, page size; start, end and offset of each mapping; their names. */
function readFiles(note: Buffer, facts: HeadFacts): void {
  if (note.length < 16) return;
  const count = Math.min(Number(note.readBigUInt64LE(0)), MAPPINGS_MAX);
  const { programHeaders = 0n } = facts;
  let nameAt = 16 + Number(note.readBigUInt64LE(0)) * 24;
  let program: Buffer | undefined;
  let programData: bigint | undefined;
  for (let index = 0; index < count; index++) {
    const at = 16 + index * 24;
    const nameEnd = nameAt < note.length ? note.indexOf(0, nameAt) : -1;
    if (nameEnd === -1) break;
    const name = note.subarray(nameAt, nameEnd);
    const [start, end] = [note.readBigUInt64LE(at), note.readBigUInt64LE(at + 8)];
    if (note.readBigUInt64LE(at + 16) === 0n && facts.files.length < FILES_MAX)
      facts.files.push({ start, end, path: name.toString("utf8", 0, PATH_MAX_BYTES) });
    // Its last mapping is the one that it writes to.
    if (name.length < 512 && C_LIBRARY.test(name.toString("latin1"))) facts.libraryData = start;
    if (programHeaders >= start && programHeaders < end) program = name;
    if (program?.equals(name) === true) programData = start;
    nameAt = nameEnd + 1;
  }
  facts.libraryData ??= programData;
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4;
}
