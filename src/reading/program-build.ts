// Decides whether the program on this machine is the one that crashed. Compares its build-id with the one in the
// program's first page in the core, which coredump_filter's bit 4 keeps (core(5)). A debugger would only warn and then
// print nonsense.
import { ElfImage, PT_LOAD, PT_NOTE, buildIdOf, type ElfNote } from "../model/elf-image.ts";
import type { ByteSource } from "../store/byte-source.ts";

/** How many first bytes are read: more than the largest program header table, of 65,535 segments. */
const HEAD_MAX_BYTES = 4 << 20;
/** How much of the notes is read. The needed ones come first; a thread has 11 KiB of registers (AVX-512). */
const NOTES_MAX_BYTES = 1 << 20;
/** How many note segments are read; a program has two or three, a core one. */
const NOTES_MAX = 16;
const PAGE_BYTES = 4096;
const NT_AUXV = 6;
const AT_NULL = 0;
/** The auxv entry with the address of the program's headers in memory (getauxval(3)). */
const AT_PHDR = 3;

/** The result of a comparison. */
export type BuildVerdict =
  | { kind: "same"; buildId: string }
  | { kind: "different"; crashed: string; here: string }
  /** `missing` names the one of the two that has no build-id. */
  | { kind: "unknown"; missing: "core" | "program" };

/** Compares the builds in a core and of a program. */
export async function compareBuilds(core: ByteSource, program: ByteSource): Promise<BuildVerdict> {
  const crashed = await readCrashedBuildId(core);
  if (crashed === undefined) return { kind: "unknown", missing: "core" };
  const here = await readBuildId(program);
  if (here === undefined) return { kind: "unknown", missing: "program" };
  return crashed === here ? { kind: "same", buildId: here } : { kind: "different", crashed, here };
}

/** Reads the build-id of an ELF file; undefined where it has none or is no ELF file. */
export async function readBuildId(file: ByteSource): Promise<string | undefined> {
  const image = ElfImage.parse(await file.read(0, HEAD_MAX_BYTES));
  return image === undefined ? undefined : buildIdOf(await readNotes(image, file));
}

async function readCrashedBuildId(core: ByteSource): Promise<string | undefined> {
  const image = ElfImage.parse(await core.read(0, HEAD_MAX_BYTES));
  if (image === undefined) return undefined;
  const auxv = (await readNotes(image, core)).find(({ type }) => type === NT_AUXV)?.data;
  const headers = auxv === undefined ? undefined : findAuxiliary(image, auxv, AT_PHDR);
  if (headers === undefined) return undefined;
  // The table follows the file's header on its first page, so the page that holds it begins with that header.
  const page = await readMemory(image, core, headers - (headers % PAGE_BYTES));
  const program = ElfImage.parse(page);
  return program === undefined
    ? undefined
    : buildIdOf(
        await readNotes(program, { read: async (start, end) => page.subarray(start, end) }),
      );
}

async function readNotes(image: ElfImage, file: Pick<ByteSource, "read">): Promise<ElfNote[]> {
  const notes: ElfNote[] = [];
  let leftBytes = NOTES_MAX_BYTES;
  const segments = image.segments.filter(({ type }) => type === PT_NOTE).slice(0, NOTES_MAX);
  for (const { offset, fileBytes, alignBytes } of segments) {
    if (leftBytes <= 0 || !Number.isSafeInteger(offset)) continue;
    const bytes = await file.read(offset, offset + Math.min(fileBytes, leftBytes));
    leftBytes -= bytes.length;
    notes.push(...image.notes(bytes, alignBytes));
  }
  return notes;
}

/**
 * Reads the crashed process's memory from an address on: as far as its mapping is in the core, and a few pages at most.
 */
async function readMemory(image: ElfImage, core: ByteSource, address: number): Promise<Buffer> {
  const segment = image.segments.find(
    ({ type, address: start, fileBytes }) =>
      type === PT_LOAD && address >= start && address < start + fileBytes,
  );
  if (segment === undefined) return Buffer.alloc(0);
  const skipped = address - segment.address;
  const bytes = Math.min(segment.fileBytes - skipped, 16 * PAGE_BYTES);
  return core.read(segment.offset + skipped, segment.offset + skipped + bytes);
}

function findAuxiliary(image: ElfImage, auxv: Buffer, wanted: number): number | undefined {
  const { wordBytes } = image;
  for (let at = 0; at + 2 * wordBytes <= auxv.length; at += 2 * wordBytes) {
    const type = image.word(auxv, at);
    if (type === AT_NULL) return undefined;
    if (type === wanted) return image.word(auxv, at + wordBytes);
  }
  return undefined;
}
