// What an ELF core's notes tell of the process (elf(5), fs/binfmt_elf.c): its first thread's PRSTATUS, PRPSINFO,
// AUXV and FILE stand at the core's beginning. 64 bits, little-endian: what our nodes are. Hostile input.

const PT_NOTE = 4;
const NT_PRSTATUS = 1;
const NT_PRPSINFO = 3;
const NT_AUXV = 6;
const NT_FILE = 0x46494c45;
const AT_NULL = 0n;
const AT_ENTRY = 9n;

/** null for what the notes do not tell. */
export interface CoreNotes {
  signal: number | null;
  /** In the process's own pid namespace. */
  pid: number | null;
  uid: number | null;
  gid: number | null;
  /** The process's own words. */
  comm: string | null;
  /** The executable's path as the process saw it. */
  executable: string | null;
}

interface Note {
  type: number;
  data: Buffer;
}

/** Notes and program headers beyond the head's end are left out; a head that is no such core tells nothing. */
export function parseCoreNotes(head: Buffer): CoreNotes {
  const notes = listNotes(head);
  const data = (type: number) => notes.find((note) => note.type === type)?.data;
  const status = data(NT_PRSTATUS);
  const process = data(NT_PRPSINFO);
  // struct elf_prstatus: pr_cursig follows the three words of pr_info.
  const signal = status === undefined || status.length < 14 ? null : status.readUInt16LE(12);
  // struct elf_prpsinfo: pr_uid at 16, pr_gid, pr_pid, three more, pr_fname[16] at 40.
  const isWhole = process !== undefined && process.length >= 56;
  return {
    signal: signal === 0 ? null : signal,
    pid: isWhole ? process.readUInt32LE(24) : null,
    uid: isWhole ? process.readUInt32LE(16) : null,
    gid: isWhole ? process.readUInt32LE(20) : null,
    comm: isWhole ? untilNul(process.subarray(40, 56)) : null,
    executable: findExecutable(data(NT_AUXV), data(NT_FILE)),
  };
}

function listNotes(head: Buffer): Note[] {
  const isElf64 = head.length >= 64 && head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2;
  if (!isElf64 || head[5] !== 1) return [];
  const table = Number(head.readBigUInt64LE(32));
  const count = head.readUInt16LE(56);
  for (let index = 0; index < count; index++) {
    const at = table + index * 56;
    if (at + 56 > head.length) break;
    if (head.readUInt32LE(at) !== PT_NOTE) continue;
    const offset = Number(head.readBigUInt64LE(at + 8));
    const sizeBytes = Number(head.readBigUInt64LE(at + 32));
    return parseNotes(head.subarray(offset, Math.min(offset + sizeBytes, head.length)));
  }
  return [];
}

/** The first thread's: the next PRSTATUS is another's. */
function parseNotes(segment: Buffer): Note[] {
  const notes: Note[] = [];
  for (let at = 0; at + 12 <= segment.length;) {
    const nameBytes = segment.readUInt32LE(at);
    const dataBytes = segment.readUInt32LE(at + 4);
    const type = segment.readUInt32LE(at + 8);
    const start = at + 12 + padded(nameBytes);
    if (start + dataBytes > segment.length) break;
    if (type === NT_PRSTATUS && notes.length > 0) break;
    notes.push({ type, data: segment.subarray(start, start + dataBytes) });
    at = start + padded(dataBytes);
  }
  return notes;
}

/** The mapped file that holds the program's entry point. */
function findExecutable(auxv: Buffer | undefined, files: Buffer | undefined): string | null {
  const entry = auxv === undefined ? undefined : findEntry(auxv);
  if (entry === undefined || files === undefined || files.length < 16) return null;
  const count = Number(files.readBigUInt64LE(0));
  const names = 16 + count * 24;
  if (names > files.length) return null;
  for (let index = 0; index < count; index++) {
    const at = 16 + index * 24;
    if (entry < files.readBigUInt64LE(at) || entry >= files.readBigUInt64LE(at + 8)) continue;
    const name = nthName(files.subarray(names), index);
    return name === "" ? null : name;
  }
  return null;
}

function findEntry(auxv: Buffer): bigint | undefined {
  for (let at = 0; at + 16 <= auxv.length; at += 16) {
    const type = auxv.readBigUInt64LE(at);
    if (type === AT_NULL) return undefined;
    if (type === AT_ENTRY) return auxv.readBigUInt64LE(at + 8);
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
