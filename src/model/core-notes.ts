// Reads what an ELF core's notes tell about the process (elf(5), fs/binfmt_elf.c). The first thread's PRSTATUS,
// PRPSINFO, AUXV and FILE stand at the core's beginning. 64 and 32 bits (fs/compat_binfmt_elf.c), either byte order.
// Hostile input.
import { ElfBytes } from "./elf-bytes.ts";

const PT_NOTE = 4;
const NT_PRSTATUS = 1;
const NT_PRPSINFO = 3;
const NT_AUXV = 6;
const NT_FILE = 0x46494c45;
const AT_NULL = 0n;
const AT_ENTRY = 9n;

/** What the notes tell about the process; a field is null where they do not tell it. */
export interface CoreNotes {
  signal: number | null;
  /** In the process's own pid namespace. */
  pid: number | null;
  uid: number | null;
  gid: number | null;
  /** The process's name, which it chooses itself. */
  comm: string | null;
  /** The first 79 bytes of the command line, its arguments divided by blanks. */
  args: string | null;
  /** The executable's path as the process saw it. */
  executable: string | null;
}

interface Note {
  type: number;
  data: ElfBytes;
}

/**
 * Parses a core's first bytes. Leaves out notes and program headers beyond their end. Every field is null for bytes
 * that begin no ELF core. Never throws.
 */
export function parseCoreNotes(head: Buffer): CoreNotes {
  const notes = listNotes(ElfBytes.of(head));
  const data = (type: number) => notes.find((note) => note.type === type)?.data;
  const status = data(NT_PRSTATUS);
  // struct elf_prstatus: pr_cursig follows the three words of pr_info.
  const signal = status === undefined || status.length < 14 ? null : status.u16(12);
  return {
    signal: signal === 0 ? null : signal,
    ...parseProcess(data(NT_PRPSINFO)),
    executable: findExecutable(data(NT_AUXV), data(NT_FILE)),
  };
}

const NOBODY = { pid: null, uid: null, gid: null, comm: null, args: null };

/** struct elf_prpsinfo: flags, pr_uid, pr_gid, pr_pid, three more ids, pr_fname[16], pr_psargs[80]. */
function parseProcess(info: ElfBytes | undefined) {
  if (info === undefined) return NOBODY;
  const names = (at: number) => ({
    comm: untilNul(info.buffer.subarray(at, at + 16)),
    args: untilNul(info.buffer.subarray(at + 16, at + 96)).trimEnd() || null,
  });
  if (info.isWide && info.length >= 56)
    return { uid: info.u32(16), gid: info.u32(20), pid: info.u32(24), ...names(40) };
  // i386 and ARM have ids of 16 bits there; what has 32 (MIPS, PowerPC) is four bytes longer.
  if (!info.isWide && info.length === 124)
    return { uid: info.u16(8), gid: info.u16(10), pid: info.u32(12), ...names(28) };
  if (!info.isWide && info.length === 128)
    return { uid: info.u32(8), gid: info.u32(12), pid: info.u32(16), ...names(32) };
  return NOBODY;
}

function listNotes(head: ElfBytes | undefined): Note[] {
  if (head === undefined || head.length < 64) return [];
  const [tableAt, countAt, segmentBytes] = head.isWide ? [32, 56, 56] : [28, 44, 32];
  const table = Number(head.word(tableAt));
  const count = head.u16(countAt);
  for (let index = 0; index < count; index++) {
    const at = table + index * segmentBytes;
    if (at + segmentBytes > head.length) break;
    if (head.u32(at) !== PT_NOTE) continue;
    const offset = Number(head.word(at + (head.isWide ? 8 : 4)));
    const sizeBytes = Number(head.word(at + (head.isWide ? 32 : 16)));
    return parseNotes(head.part(offset, offset + sizeBytes));
  }
  return [];
}

/** Returns the first thread's notes: the list ends at the second PRSTATUS. */
function parseNotes(segment: ElfBytes): Note[] {
  const notes: Note[] = [];
  for (let at = 0; at + 12 <= segment.length;) {
    const dataBytes = segment.u32(at + 4);
    const type = segment.u32(at + 8);
    const start = at + 12 + padded(segment.u32(at));
    if (start + dataBytes > segment.length) break;
    if (type === NT_PRSTATUS && notes.length > 0) break;
    notes.push({ type, data: segment.part(start, start + dataBytes) });
    at = start + padded(dataBytes);
  }
  return notes;
}

/** The mapped file that holds the program's entry point. */
function findExecutable(auxv: ElfBytes | undefined, files: ElfBytes | undefined): string | null {
  const entry = auxv === undefined ? undefined : findEntry(auxv);
  if (entry === undefined || files === undefined) return null;
  const { wordBytes } = files;
  const headBytes = 2 * wordBytes;
  if (files.length < headBytes) return null;
  const count = Number(files.word(0));
  const names = headBytes + count * 3 * wordBytes;
  if (names > files.length) return null;
  for (let index = 0; index < count; index++) {
    const at = headBytes + index * 3 * wordBytes;
    if (entry < files.word(at) || entry >= files.word(at + wordBytes)) continue;
    const name = nthName(files.buffer.subarray(names), index);
    return name === "" ? null : name;
  }
  return null;
}

function findEntry(auxv: ElfBytes): bigint | undefined {
  const { wordBytes } = auxv;
  for (let at = 0; at + 2 * wordBytes <= auxv.length; at += 2 * wordBytes) {
    const type = auxv.word(at);
    if (type === AT_NULL) return undefined;
    if (type === AT_ENTRY) return auxv.word(at + wordBytes);
  }
  return undefined;
}

function nthName(names: Buffer, index: number): string {
  let start = 0;
  for (let skipped = 0; skipped < index; skipped++) {
    const end = names.indexOf(0, start);
    if (end === -1) return "";
    start = end + 1;
  }
  return untilNul(names.subarray(start));
}

function untilNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4;
}
