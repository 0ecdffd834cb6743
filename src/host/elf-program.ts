// What an ELF64 little-endian program asks of the machine it is started on, and where in its file that stands.
// Reads only headers, whatever the file's size. Source: elf(5).
import { open, type FileHandle } from "node:fs/promises";
import { AppError } from "../model/app-error.ts";
import { readAt } from "./bounded-read.ts";

export interface FileRange {
  offset: number;
  sizeBytes: number;
}

export interface ElfProgram {
  /** As uname -m says it: "x86_64", "aarch64", or "machine N". */
  machine: string;
  /** The loader's path and where it stands; undefined for a static program. */
  interpreter: (FileRange & { path: string; address: number; header: number }) | undefined;
  /** The table of Elf64_Dyn. */
  dynamic: FileRange | undefined;
  sections: ReadonlyMap<string, FileRange & { allocated: boolean }>;
}

const MACHINES: Record<number, string> = { 62: "x86_64", 183: "aarch64" };
const [PT_DYNAMIC, PT_INTERP] = [2, 3];
const SHF_ALLOC = 2;
const INTERPRETER_MAX_BYTES = 4096;
const TABLE_MAX_BYTES = 1 << 20;

/** Throws AppError "host" for a file that is no such program. */
export async function readElfProgram(path: string): Promise<ElfProgram> {
  const file = await open(path, "r");
  try {
    const header = await readAt(file, 0, 64);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2)
      throw new AppError("host", `${path} is no 64-bit ELF program`);
    const segments = await readSegments(file, header);
    return {
      machine: MACHINES[header.readUInt16LE(18)] ?? `machine ${header.readUInt16LE(18)}`,
      interpreter: await readInterpreter(file, segments),
      dynamic: segments.find(({ type }) => type === PT_DYNAMIC),
      sections: await readSections(file, header),
    };
  } finally {
    await file.close();
  }
}

interface Segment extends FileRange {
  type: number;
  address: number;
  /** Where its own header stands in the file. */
  header: number;
}

async function readSegments(file: FileHandle, header: Buffer): Promise<Segment[]> {
  const [start, each] = [u64(header, 32), header.readUInt16LE(54)];
  const table = await readAt(
    file,
    start,
    Math.min(each * header.readUInt16LE(56), TABLE_MAX_BYTES),
  );
  const segments: Segment[] = [];
  for (let at = 0; at + 56 <= table.length; at += each)
    segments.push({
      type: table.readUInt32LE(at),
      offset: u64(table, at + 8),
      address: u64(table, at + 16),
      sizeBytes: u64(table, at + 32),
      header: start + at,
    });
  return segments;
}

async function readInterpreter(
  file: FileHandle,
  segments: readonly Segment[],
): Promise<ElfProgram["interpreter"]> {
  const found = segments.find(({ type }) => type === PT_INTERP);
  if (found === undefined) return undefined;
  const bytes = await readAt(file, found.offset, Math.min(found.sizeBytes, INTERPRETER_MAX_BYTES));
  return { ...found, path: textAt(bytes, 0) };
}

/** By name. A program whose section headers were stripped has none. */
async function readSections(file: FileHandle, header: Buffer): Promise<ElfProgram["sections"]> {
  const [start, each] = [u64(header, 40), header.readUInt16LE(58)];
  const table = await readAt(
    file,
    start,
    Math.min(each * header.readUInt16LE(60), TABLE_MAX_BYTES),
  );
  const at = (index: number) => ({
    offset: u64(table, index * each + 24),
    sizeBytes: u64(table, index * each + 32),
    allocated: (u64(table, index * each + 8) & SHF_ALLOC) !== 0,
  });
  const count = each === 0 ? 0 : Math.floor(table.length / each);
  const namesIndex = header.readUInt16LE(62);
  if (namesIndex >= count) return new Map();
  const { offset, sizeBytes } = at(namesIndex);
  const names = await readAt(file, offset, Math.min(sizeBytes, TABLE_MAX_BYTES));
  return new Map(
    Array.from({ length: count }, (_, i) => [textAt(names, table.readUInt32LE(i * each)), at(i)]),
  );
}

function textAt(bytes: Buffer, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return bytes.toString("latin1", offset, end === -1 ? bytes.length : end);
}

function u64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
