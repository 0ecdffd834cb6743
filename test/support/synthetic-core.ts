// An ELF core of a process that never was: threads, memory and mapped files as a test needs them.
import type { Machine } from "../../src/explain/elf-header.ts";

export interface SyntheticThread {
  tid: number;
  /** By their place in struct user_regs_struct (x86-64) or user_pt_regs (aarch64). */
  registers: Readonly<Record<number, bigint>>;
}

export interface SyntheticCore {
  machine?: Machine;
  threads?: readonly SyntheticThread[];
  /** si_signo, si_code, si_addr (or pid and uid); a number alone: the core has no siginfo. */
  signal?: readonly [number, number, bigint] | readonly [number];
  memory?: readonly { address: bigint; bytes: Buffer; flags?: number; memoryBytes?: number }[];
  files?: readonly { start: bigint; end: bigint; page: bigint; path: string }[];
  auxiliary?: readonly (readonly [bigint, bigint])[];
  /** NT_ARM_PAC_MASK's insn_mask. */
  codeMask?: bigint;
}

/** Where pr_reg has what x86-64 calls rip, rsp, rbp; aarch64 pc, sp, x29, x30. */
export const X86 = { rip: 16, rsp: 19, rbp: 4, rdi: 14 } as const;
export const ARM = { pc: 32, sp: 31, x29: 29, x30: 30 } as const;

const [HEADER_BYTES, SEGMENT_BYTES] = [64, 56];
const MACHINES = { x86_64: 62, aarch64: 183 };
export const [READ, WRITE, EXECUTE] = [4, 2, 1];

export function syntheticCore(shape: SyntheticCore): Buffer {
  const { machine = "x86_64", memory = [] } = shape;
  const notes = Buffer.concat(notesOf(shape));
  const table = Buffer.alloc(HEADER_BYTES + SEGMENT_BYTES * (memory.length + 1));
  table.write("\x7fELF\x02\x01\x01", "latin1");
  table.writeUInt16LE(4, 16);
  table.writeUInt16LE(MACHINES[machine], 18);
  table.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  table.writeUInt16LE(SEGMENT_BYTES, 54);
  table.writeUInt16LE(memory.length + 1, 56);
  const pieces: Buffer[] = [table, notes];
  let offset = table.length;
  writeSegment(table, 0, { type: 4, flags: 0, offset, address: 0n, bytes: notes.length });
  offset += notes.length;
  for (const [index, { address, bytes, flags = READ | WRITE, memoryBytes }] of memory.entries()) {
    const fields = { type: 1, flags, offset, address, bytes: bytes.length };
    writeSegment(table, index + 1, fields, memoryBytes);
    pieces.push(bytes);
    offset += bytes.length;
  }
  return Buffer.concat(pieces);
}

function writeSegment(
  table: Buffer,
  index: number,
  fields: { type: number; flags: number; offset: number; address: bigint; bytes: number },
  memoryBytes = fields.bytes,
): void {
  const at = HEADER_BYTES + index * SEGMENT_BYTES;
  table.writeUInt32LE(fields.type, at);
  table.writeUInt32LE(fields.flags, at + 4);
  table.writeBigUInt64LE(BigInt(fields.offset), at + 8);
  table.writeBigUInt64LE(fields.address, at + 16);
  table.writeBigUInt64LE(BigInt(fields.bytes), at + 32);
  table.writeBigUInt64LE(BigInt(memoryBytes), at + 40);
}

function notesOf(shape: SyntheticCore): Buffer[] {
  const { threads = [], signal, files, auxiliary, codeMask } = shape;
  const notes: Buffer[] = [];
  for (const [index, thread] of threads.entries()) {
    notes.push(note("CORE", 1, statusOf(thread, signal?.[0] ?? 0)));
    if (index > 0) continue;
    notes.push(note("CORE", 3, processOf(thread.tid)));
    if (signal?.length === 3) notes.push(note("CORE", 0x53494749, signalOf(signal)));
    if (auxiliary !== undefined) notes.push(note("CORE", 6, words(auxiliary.flat())));
    if (files !== undefined) notes.push(note("CORE", 0x46494c45, filesOf(files)));
    if (codeMask !== undefined) notes.push(note("LINUX", 0x406, words([codeMask, codeMask])));
  }
  return notes;
}

export function note(owner: string, type: number, data: Buffer): Buffer {
  const name = Buffer.from(`${owner}\0`);
  const padded = (size: number) => Math.ceil(size / 4) * 4;
  const bytes = Buffer.alloc(12 + padded(name.length) + padded(data.length));
  bytes.writeUInt32LE(name.length, 0);
  bytes.writeUInt32LE(data.length, 4);
  bytes.writeUInt32LE(type, 8);
  name.copy(bytes, 12);
  data.copy(bytes, 12 + padded(name.length));
  return bytes;
}

function statusOf({ tid, registers }: SyntheticThread, signal: number): Buffer {
  const status = Buffer.alloc(392);
  status.writeUInt16LE(signal, 12);
  status.writeUInt32LE(tid, 32);
  for (const [place, value] of Object.entries(registers))
    status.writeBigUInt64LE(value, 112 + Number(place) * 8);
  return status;
}

function processOf(pid: number): Buffer {
  const process = Buffer.alloc(136);
  process.writeUInt32LE(1000, 16);
  process.writeUInt32LE(pid, 24);
  process.write("crashes", 40);
  return process;
}

function signalOf([number, code, address]: readonly [number, number, bigint]): Buffer {
  const info = Buffer.alloc(128);
  info.writeInt32LE(number, 0);
  info.writeInt32LE(code, 8);
  info.writeBigUInt64LE(address, 16);
  return info;
}

function filesOf(files: NonNullable<SyntheticCore["files"]>): Buffer {
  const table = [
    BigInt(files.length),
    4096n,
    ...files.flatMap(({ start, end, page }) => [start, end, page]),
  ];
  return Buffer.concat([words(table), Buffer.from(files.map(({ path }) => `${path}\0`).join(""))]);
}

/** 64-bit words, as memory has them. */
export function words(values: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries())
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value), index * 8);
  return bytes;
}
