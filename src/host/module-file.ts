// Reads what an ELF program or library is: its build-id, whether it is whole, the digest of its content. The file may be
// hostile, and may lie on a file system that never answers: everything waits by the event loop, so that a timer can end
// it.
import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { ElfBytes } from "../model/elf-bytes.ts";
import { buildIdOf, ElfImage, PT_LOAD, PT_NOTE } from "../model/elf-image.ts";
import { readAt } from "./bounded-read.ts";

/** How a file is opened that another process chose: a FIFO must not block, a terminal not become ours. */
export const READ_MODULE = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** The headers of real programs end within 2 KiB. */
const HEAD_BYTES = 64 << 10;
const NOTES_MAX = 16;
const NOTE_MAX_BYTES = 64 << 10;
const BLOCK_BYTES = 1 << 20;
const [ET_EXEC, ET_DYN] = [2, 3];

/** What a file's headers say. */
export interface ModuleHead {
  buildId: string | null;
  /** The file is shorter than its program headers say. */
  isCut: boolean;
}

/** Reads the head; undefined for a file that is no ELF program or library. */
export async function readModuleHead(
  file: FileHandle,
  sizeBytes: number,
): Promise<ModuleHead | undefined> {
  const head = await readAt(file, 0, Math.min(HEAD_BYTES, sizeBytes));
  const image = ElfImage.parse(head);
  if (image === undefined) return undefined;
  const type = image.type;
  const loads = image.segments.filter((segment) => segment.type === PT_LOAD);
  if ((type !== ET_EXEC && type !== ET_DYN) || loads.length === 0) return undefined;
  const notes = image.segments.filter((segment) => segment.type === PT_NOTE).slice(0, NOTES_MAX);
  let buildId: string | undefined;
  for (const { offset, fileBytes, alignBytes } of notes) {
    if (!Number.isSafeInteger(offset) || offset >= sizeBytes) continue;
    const bytes = await readAt(file, offset, Math.min(fileBytes, NOTE_MAX_BYTES));
    buildId ??= buildIdOf(image.notes(bytes, alignBytes));
  }
  return {
    buildId: buildId ?? null,
    isCut: loads.some(({ offset, fileBytes }) => offset + fileBytes > sizeBytes),
  };
}

/** Where the section headers' place, size and number stand in a header, and type and flags in one of them (elf(5)). */
const SECTIONS_64 = { tableAt: 40, sizeAt: 58, countAt: 60, flagsAt: 8 };
const SECTIONS_32 = { tableAt: 32, sizeAt: 46, countAt: 48, flagsAt: 8 };
const SECTIONS_MAX = 4096;
const [SHT_NOBITS, SHF_EXECINSTR] = [8, 4];

/**
 * Returns whether the file is separate debug information (objcopy --only-keep-debug): its sections of code have no bytes
 * in it.
 */
export async function holdsNoCode(file: FileHandle): Promise<boolean> {
  const head = ElfBytes.of(await readAt(file, 0, 64));
  if (head === undefined || head.length < 64) return false;
  const { tableAt, sizeAt, countAt, flagsAt } = head.isWide ? SECTIONS_64 : SECTIONS_32;
  const [start, size, count] = [Number(head.word(tableAt)), head.u16(sizeAt), head.u16(countAt)];
  if (!Number.isSafeInteger(start) || size < 40) return false;
  const table = head.like(await readAt(file, start, Math.min(count, SECTIONS_MAX) * size));
  let code = 0;
  for (let at = 0; at + size <= table.length; at += size) {
    if ((Number(table.word(at + flagsAt)) & SHF_EXECINSTR) === 0) continue;
    if (table.u32(at + 4) !== SHT_NOBITS) return false;
    code++;
  }
  return code > 0;
}

/** Takes one block of the file after another, in order. */
type TakeBlock = (block: Uint8Array, position: number) => Promise<void>;

/**
 * Digests the whole file and returns the SHA-256 in hex. Throws where the file has another size than sizeBytes, or
 * shrinks or grows on the way.
 */
export async function digestModule(
  file: FileHandle,
  sizeBytes: number,
  take: TakeBlock = () => Promise.resolve(),
): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const block = new Uint8Array(BLOCK_BYTES);
  let position = 0;
  for (;;) {
    const { bytesRead } = await file.read(block, 0, block.length, position);
    if (bytesRead === 0) break;
    if (position + bytesRead > sizeBytes) throw new Error("it grew meanwhile");
    const bytes = block.subarray(0, bytesRead);
    hash.update(bytes);
    await take(bytes, position);
    position += bytesRead;
  }
  if (position !== sizeBytes) throw new Error("it shrank meanwhile");
  return hash.digest("hex");
}
