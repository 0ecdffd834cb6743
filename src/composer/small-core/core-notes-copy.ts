// Copies a core's notes while they pass, and keeps what tells where the threads' stacks are. Of a process with very
// many threads only the first ones keep all of their registers: 10,000 have over 100 MB of vector registers.
import { writeSync } from "node:fs";

/** One thread: its general registers, as struct elf_prstatus has them. */
export interface ThreadRegisters {
  tid: number;
  signal: number;
  registers: Buffer;
}

const [NT_PRSTATUS, NT_AUXV, NT_FILE, NT_ARM_TLS] = [1, 6, 0x46494c45, 0x401];
const NOTE_HEAD_BYTES = 12;
/** struct elf_prstatus: pr_cursig, pr_pid, pr_reg; user_regs_struct has 27 words on x86-64, 34 on aarch64. */
const [SIGNAL_AT, TID_AT, REGISTERS_AT, REGISTERS_MAX_BYTES] = [12, 32, 112, 34 * 8];
/** How many threads keep all of their notes. */
const WHOLE_THREADS = 512;
const THREADS_MAX = 20_000;
const NOTE_MAX_BYTES = 8 << 20;
const NOTES_MAX_BYTES = 48 << 20;

/** The notes of one core. */
export class CoreNotesCopy {
  /** The crashing one first. */
  readonly threads: ThreadRegisters[] = [];
  /** By thread: where its thread-local storage is, on aarch64. */
  readonly armThreadPointers = new Map<number, bigint>();
  auxiliary = new Map<bigint, bigint>();
  /** The first page of each file's first part, and the ends: NT_FILE as it stands. */
  files = Buffer.alloc(0);
  /** How many notes were not copied; those of the later threads that the limit is for are not counted. */
  leftOut = 0;
  /** How many bytes were copied. */
  sizeBytes = 0;
  private readonly fd: number;
  private leftBytes: number;
  private count = 0;
  private head = Buffer.alloc(0);
  /** The note under way. */
  private type = 0;
  private bodyLeft = 0;
  private body: Buffer[] = [];
  private keepsBody = false;
  private isKept = false;
  private nameBytes = 0;

  /** The notes have sizeBytes bytes; those that are kept go into the file `fd`, from its beginning. */
  constructor(fd: number, sizeBytes: number) {
    this.fd = fd;
    this.leftBytes = sizeBytes;
  }

  /** Whether all notes have passed. */
  get isWhole(): boolean {
    return this.leftBytes === 0;
  }

  /** Takes the notes' bytes in order; what is behind them is left alone. */
  push(bytes: Uint8Array): void {
    let rest = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, this.leftBytes));
    this.leftBytes -= rest.length;
    while (rest.length > 0) {
      if (this.bodyLeft === 0) {
        const taken = rest.subarray(0, NOTE_HEAD_BYTES - this.head.length);
        this.head = Buffer.concat([this.head, taken]);
        rest = rest.subarray(taken.length);
        if (this.head.length === NOTE_HEAD_BYTES) this.beginNote();
        continue;
      }
      const taken = rest.subarray(0, this.bodyLeft);
      rest = rest.subarray(taken.length);
      this.bodyLeft -= taken.length;
      if (this.isKept) this.write(taken);
      if (this.keepsBody) this.body.push(Buffer.from(taken));
      if (this.bodyLeft === 0) this.endNote();
    }
  }

  private beginNote(): void {
    const [nameBytes, dataBytes] = [this.head.readUInt32LE(0), this.head.readUInt32LE(4)];
    this.type = this.head.readUInt32LE(8);
    this.nameBytes = padded(nameBytes);
    this.bodyLeft = this.nameBytes + padded(dataBytes);
    if (this.type === NT_PRSTATUS) this.count++;
    const hasRoom = this.sizeBytes + NOTE_HEAD_BYTES + this.bodyLeft <= NOTES_MAX_BYTES;
    this.isKept = hasRoom && (this.count <= WHOLE_THREADS || this.type === NT_PRSTATUS);
    if (!hasRoom) this.leftOut++;
    const isWanted = [NT_PRSTATUS, NT_AUXV, NT_FILE, NT_ARM_TLS].includes(this.type);
    this.keepsBody = isWanted && this.bodyLeft <= NOTE_MAX_BYTES && this.count <= THREADS_MAX;
    if (this.isKept) this.write(this.head);
    this.head = Buffer.alloc(0);
    if (this.bodyLeft === 0) this.endNote();
  }

  private endNote(): void {
    if (!this.keepsBody) return;
    const data = Buffer.concat(this.body).subarray(this.nameBytes);
    this.body = [];
    if (this.type === NT_PRSTATUS && data.length > REGISTERS_AT)
      this.threads.push({
        tid: data.readUInt32LE(TID_AT),
        signal: data.readUInt16LE(SIGNAL_AT),
        registers: Buffer.from(data.subarray(REGISTERS_AT, REGISTERS_AT + REGISTERS_MAX_BYTES)),
      });
    if (this.type === NT_AUXV && this.auxiliary.size === 0) this.readAuxiliary(data);
    if (this.type === NT_FILE && this.files.length === 0) this.files = Buffer.from(data);
    const tid = this.threads.at(-1)?.tid;
    if (this.type === NT_ARM_TLS && data.length >= 8 && tid !== undefined)
      this.armThreadPointers.set(tid, data.readBigUInt64LE(0));
  }

  private readAuxiliary(vector: Buffer): void {
    for (let at = 0; at + 16 <= Math.min(vector.length, 4096); at += 16)
      this.auxiliary.set(vector.readBigUInt64LE(at), vector.readBigUInt64LE(at + 8));
  }

  private write(bytes: Buffer): void {
    writeSync(this.fd, bytes, 0, bytes.length, this.sizeBytes);
    this.sizeBytes += bytes.length;
  }
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4;
}
