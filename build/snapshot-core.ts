// Writes an ELF core of a running process from /proc, as gcore does but without stopping it: for a demo
// where the kernel may not be told to start us. Registers are zero; the memory is real.
// Source: core(5), proc_pid_maps(5), include/uapi/linux/elf.h, elfcore.h.
import { createWriteStream } from "node:fs";
import { open, readFile, type FileHandle } from "node:fs/promises";
import { once } from "node:events";

interface Mapping {
  start: number;
  end: number;
  flags: number;
}

const PAGE = 4096;
const BLOCK = 1 << 20;
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const NOTE_NAME = Buffer.from("CORE\0\0\0\0");
const NT_PRSTATUS = 1;
/** sizeof(struct elf_prstatus), and where its pr_cursig and pr_pid are. */
const PRSTATUS = { bytes: process.arch === "arm64" ? 392 : 336, signal: 12, pid: 32 };
const EM = { x64: 62, arm64: 183 };
const SIGSEGV = 11;

/** Reads the process's private, readable memory into `path`. The process must be ours, and waiting. */
export async function snapshotCore(pid: number, path: string): Promise<void> {
  const mappings = parseMaps(await readFile(`/proc/${pid}/maps`, "utf8"));
  const note = prstatusNote(pid);
  const dataStart = roundUp(
    HEADER_BYTES + PROGRAM_HEADER_BYTES * (mappings.length + 1) + note.length,
  );
  const output = createWriteStream(path, { mode: 0o600 });
  const memory = await open(`/proc/${pid}/mem`, "r");
  try {
    output.write(headers(mappings, note, dataStart));
    for (const { start, end } of mappings)
      for (let at = start; at < end; at += BLOCK)
        if (!output.write(await readMemory(memory, at, Math.min(BLOCK, end - at))))
          await once(output, "drain");
  } finally {
    await memory.close();
    output.end();
    await once(output, "finish");
  }
}

/** Readable mappings that are no device's; [vvar] and its like cannot be read and are left out. */
function parseMaps(maps: string): Mapping[] {
  return [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) (r)(.)(.)(.) \S+ \S+ \d+ *(.*)$/gm)]
    .filter(([, , , , , , , name]) => !/^(\/dev\/|\[v(var|syscall))/.test(name ?? ""))
    .map(([, start = "", end = "", , writable, executable]) => ({
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      flags: 4 | (writable === "w" ? 2 : 0) | (executable === "x" ? 1 : 0),
    }))
    .filter(({ end }) => Number.isSafeInteger(end));
}

function prstatusNote(pid: number): Buffer {
  const status = Buffer.alloc(PRSTATUS.bytes);
  status.writeInt16LE(SIGSEGV, PRSTATUS.signal);
  status.writeInt32LE(pid, PRSTATUS.pid);
  const head = Buffer.alloc(12);
  head.writeUInt32LE("CORE\0".length, 0);
  head.writeUInt32LE(status.length, 4);
  head.writeUInt32LE(NT_PRSTATUS, 8);
  return Buffer.concat([head, NOTE_NAME, status]);
}

function headers(mappings: readonly Mapping[], note: Buffer, dataStart: number): Buffer {
  const head = Buffer.alloc(dataStart);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head);
  head.writeUInt16LE(4, 16); // ET_CORE
  head.writeUInt16LE(process.arch === "arm64" ? EM.arm64 : EM.x64, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  head.writeUInt16LE(HEADER_BYTES, 52);
  head.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  head.writeUInt16LE(mappings.length + 1, 56);
  const noteAt = HEADER_BYTES + PROGRAM_HEADER_BYTES * (mappings.length + 1);
  programHeader(head, 0, { type: 4, flags: 0, offset: noteAt, start: 0, bytes: note.length });
  note.copy(head, noteAt);
  let offset = dataStart;
  for (const [i, { start, end, flags }] of mappings.entries()) {
    programHeader(head, i + 1, { type: 1, flags, offset, start, bytes: end - start });
    offset += end - start;
  }
  return head;
}

function programHeader(
  head: Buffer,
  index: number,
  header: { type: number; flags: number; offset: number; start: number; bytes: number },
): void {
  const at = HEADER_BYTES + PROGRAM_HEADER_BYTES * index;
  head.writeUInt32LE(header.type, at);
  head.writeUInt32LE(header.flags, at + 4);
  head.writeBigUInt64LE(BigInt(header.offset), at + 8);
  head.writeBigUInt64LE(BigInt(header.start), at + 16);
  head.writeBigUInt64LE(BigInt(header.bytes), at + 32);
  head.writeBigUInt64LE(BigInt(header.bytes), at + 40);
  head.writeBigUInt64LE(BigInt(header.type === 1 ? PAGE : 1), at + 48);
}

/** Pages that cannot be read (a mapping beyond its file's end) are zeros, as in the kernel's cores. */
async function readMemory(memory: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  for (let done = 0; done < bytes;) {
    const got = await memory
      .read(buffer, done, bytes - done, position + done)
      .catch(() => ({ bytesRead: 0 }));
    done = got.bytesRead === 0 ? roundUp(done + 1) : done + got.bytesRead;
  }
  return buffer;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}
