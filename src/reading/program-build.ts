// Is the program on this machine the one that crashed? Its build id on the disk, and the one that its first page has in
// the core (core(5): coredump_filter's bit 4 keeps it). A debugger only warns, and then prints nonsense.
import { ElfImage, PT_LOAD, PT_NOTE, buildIdOf, type ElfNote } from "../model/elf-image.ts";
import type { ByteSource } from "../store/byte-source.ts";

/** A program header table of 65,535 segments, which is the most, and then some. */
const HEAD_MAX_BYTES = 4 << 20;
/** Those that matter stand first; a thread has 11 KiB of registers (AVX-512). */
const NOTES_MAX_BYTES = 1 << 20;
/** A program has two or three such segments, a core one. */
const NOTES_MAX = 16;
const PAGE_BYTES = 4096;
const NT_AUXV = 6;
const AT_NULL = 0;
/** Where the program's own headers are in its memory (getauxval(3)). */
const AT_PHDR = 3;

export type BuildVerdict =
  | { kind: "same"; buildId: string }
  | { kind: "different"; crashed: string; here: string }
  /** `missing`: which of the two has no build id. */
  | { kind: "unknown"; missing: "core" | "program" };

export async function compareBuilds(core: ByteSource, program: ByteSource): Promise<BuildVerdict> {
  const crashed = await readCrashedBuildId(core);
  if (crashed === undefined) return { kind: "unknown", missing: "core" };
  const here = await readBuildId(program);
  if (here === undefined) return { kind: "unknown", missing: "program" };
  return crashed === here ? { kind: "same", buildId: here } : { kind: "different", crashed, here };
}

/** Of an ELF file; undefined where it has none, or is none. */
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
  // The table follows the file's header on its first page, which is mapped from the file's beginning.
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

/** The crashed process's memory from an address on, as far as its mapping is in the core, a few pages at most. */
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
