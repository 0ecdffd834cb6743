// Reads what an ELF64 little-endian program or library needs from the machine, and where in the file that stands.
// Reads only headers, whatever the file's size. Source: elf(5).
import { open, type FileHandle } from "node:fs/promises";
import { AppError } from "../model/app-error.ts";
import { readAt } from "./bounded-read.ts";

/** A range of bytes of the file. */
export interface FileRange {
  offset: number;
  sizeBytes: number;
}

/** A program header. */
export interface Segment extends FileRange {
  type: number;
  address: number;
  /** The offset of the header itself in the file. */
  headerOffset: number;
}

/** An entry of the dynamic section. */
export interface DynamicEntry {
  tag: number;
  value: number;
  /** The entry's offset in the file. */
  offset: number;
}

/** What the headers say about the program. */
export interface ElfProgram {
  /** The architecture as uname -m prints it, "x86_64" or "aarch64"; else "machine N". */
  machine: string;
  /** The loader's path; undefined for a static program and for a library. */
  loader: string | undefined;
  segments: Segment[];
  dynamic: DynamicEntry[];
  /** The sonames of the libraries that the program is linked with. */
  needed: string[];
  /** The sections by name; none in a program whose section headers were stripped. */
  sections: ReadonlyMap<string, FileRange>;
}

/** p_type of the segment that names the loader. */
export const PT_INTERP = 3;
/** The dynamic tag of the string table's address. */
export const DT_STRTAB = 5;
/** The dynamic tag of the libraries' search path. */
export const DT_RPATH = 15;
/** The dynamic tag that the loader fills in for debuggers. */
export const DT_DEBUG = 21;

const [PT_LOAD, PT_DYNAMIC] = [1, 2];
const [DT_NULL, DT_NEEDED, DT_STRSZ] = [0, 1, 10];
const MACHINES: Record<number, string> = { 62: "x86_64", 183: "aarch64" };
const TABLE_MAX_BYTES = 1 << 20;

/** Reads a program's headers. Throws AppError "host" for a file that is no such program. */
export async function readElfProgram(path: string): Promise<ElfProgram> {
  const file = await open(path, "r");
  try {
    const header = await readAt(file, 0, 64);
    if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2)
      throw new AppError("host", `${path} is no 64-bit ELF program`);
    const segments = await readSegments(file, header);
    const dynamic = await readDynamic(file, segments);
    const interpreter = segments.find(({ type }) => type === PT_INTERP);
    return {
      machine: MACHINES[header.readUInt16LE(18)] ?? `machine ${header.readUInt16LE(18)}`,
      loader: interpreter === undefined ? undefined : textAt(await readRange(file, interpreter), 0),
      segments,
      dynamic,
      needed: await readNeeded(file, segments, dynamic),
      sections: await readSections(file, header),
    };
  } finally {
    await file.close();
  }
}

async function readSegments(file: FileHandle, header: Buffer): Promise<Segment[]> {
  const [start, each] = [u64(header, 32), header.readUInt16LE(54)];
  const table = await readRange(file, { offset: start, sizeBytes: each * header.readUInt16LE(56) });
  const segments: Segment[] = [];
  for (let at = 0; at + 56 <= table.length; at += each)
    segments.push({
      type: table.readUInt32LE(at),
      offset: u64(table, at + 8),
      address: u64(table, at + 16),
      sizeBytes: u64(table, at + 32),
      headerOffset: start + at,
    });
  return segments;
}

/** Reads the Elf64_Dyn entries up to DT_NULL. */
async function readDynamic(
  file: FileHandle,
  segments: readonly Segment[],
): Promise<DynamicEntry[]> {
  const segment = segments.find(({ type }) => type === PT_DYNAMIC);
  if (segment === undefined) return [];
  const table = await readRange(file, segment);
  const entries: DynamicEntry[] = [];
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const entry = { tag: u64(table, at), value: u64(table, at + 8), offset: segment.offset + at };
    if (entry.tag === DT_NULL) break;
    entries.push(entry);
  }
  return entries;
}

async function readNeeded(
  file: FileHandle,
  segments: readonly Segment[],
  dynamic: readonly DynamicEntry[],
): Promise<string[]> {
  const valueOf = (tag: number) => dynamic.find((entry) => entry.tag === tag)?.value ?? 0;
  const address = valueOf(DT_STRTAB);
  const loaded = segments.find(
    (segment) =>
      segment.type === PT_LOAD &&
      segment.address <= address &&
      address < segment.address + segment.sizeBytes,
  );
  if (loaded === undefined) return [];
  const strings = await readRange(file, {
    offset: loaded.offset + address - loaded.address,
    sizeBytes: valueOf(DT_STRSZ),
  });
  return dynamic.filter(({ tag }) => tag === DT_NEEDED).map(({ value }) => textAt(strings, value));
}

async function readSections(file: FileHandle, header: Buffer): Promise<ElfProgram["sections"]> {
  const [start, each] = [u64(header, 40), header.readUInt16LE(58)];
  const table = await readRange(file, { offset: start, sizeBytes: each * header.readUInt16LE(60) });
  const count = each === 0 ? 0 : Math.floor(table.length / each);
  const at = (index: number): FileRange => ({
    offset: u64(table, index * each + 24),
    sizeBytes: u64(table, index * each + 32),
  });
  const namesIndex = header.readUInt16LE(62);
  if (namesIndex >= count) return new Map();
  const names = await readRange(file, at(namesIndex));
  return new Map(
    Array.from({ length: count }, (_, i) => [textAt(names, table.readUInt32LE(i * each)), at(i)]),
  );
}

function readRange(file: FileHandle, { offset, sizeBytes }: FileRange): Promise<Buffer> {
  return readAt(file, offset, Math.min(sizeBytes, TABLE_MAX_BYTES));
}

function textAt(bytes: Buffer, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return bytes.toString("latin1", offset, end === -1 ? bytes.length : end);
}

function u64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
