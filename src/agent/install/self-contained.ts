// The self-contained variant: this executable with its own loader and libraries in HOST_DIR/lib, for hosts without a
// suitable libc. Plans the changes to the copy (docs/adr/0003-self-contained.md).
import { basename, dirname, join } from "node:path";
import type { FilePatch } from "../../host/file-patch.ts";
import { exists } from "../../host/files.ts";
import {
  DT_DEBUG,
  DT_RPATH,
  DT_STRTAB,
  PT_INTERP,
  readElfProgram,
  type ElfProgram,
} from "../../host/elf-program.ts";
import { AppError } from "../../model/app-error.ts";

/** The files of the variant. */
export interface SelfContained {
  patches: FilePatch[];
  /** The present paths of loader and libraries. */
  libraries: string[];
}

/** The libraries' folder in HOST_DIR. */
export const LIBRARY_FOLDER = "lib";

/** The run path. $ORIGIN is the executable's folder (ld.so(8)), so that the path does not depend on HOST_DIR. */
const RUN_PATH = `$ORIGIN/${LIBRARY_FOLDER}\0`;
/**
 * A section that the patches may overwrite: symbol names for debuggers, which are not loaded and not read at run time,
 * and 20 KB in every build.
 */
const RESERVED_SECTION = ".strtab";

/** Plans the variant. Throws AppError "host" for an executable that cannot be made self-contained. */
export async function planSelfContained(
  executable: string,
  hostDir: string,
): Promise<SelfContained> {
  const program = await readElfProgram(executable);
  if (program.loader === undefined) throw unsuited(executable, "it names no loader");
  const libraries = await findLibraries(program, program.loader);
  const loader = `${hostDir}/${LIBRARY_FOLDER}/${basename(program.loader)}\0`;
  return { patches: planPatches(executable, program, Buffer.from(loader)), libraries };
}

/**
 * Plans changes in three places. The loader's path goes into the reserved section, and PT_INTERP points there, because
 * the kernel reads it by its place in the file (fs/binfmt_elf.c, load_elf_binary). The path's old place, which is
 * loaded, takes the run path. DT_DEBUG, which only debuggers use, becomes the DT_RPATH that points at it, relative to
 * the strings.
 */
export function planPatches(name: string, program: ElfProgram, loader: Uint8Array): FilePatch[] {
  const interpreter = program.segments.find(({ type }) => type === PT_INTERP);
  const room = program.sections.get(RESERVED_SECTION);
  const debug = program.dynamic.find(({ tag }) => tag === DT_DEBUG);
  const strings = program.dynamic.find(({ tag }) => tag === DT_STRTAB);
  if (interpreter === undefined || debug === undefined || strings === undefined)
    throw unsuited(name, "it has no PT_INTERP, DT_DEBUG or DT_STRTAB");
  if (room === undefined || room.sizeBytes < loader.length)
    throw unsuited(name, `its ${RESERVED_SECTION} has no room for the loader's path`);
  if (interpreter.sizeBytes < RUN_PATH.length)
    throw unsuited(name, "its loader's name is too short");
  const runPath = new Uint8Array(interpreter.sizeBytes);
  runPath.set(Buffer.from(RUN_PATH));
  const distance = BigInt.asUintN(64, BigInt(interpreter.address) - BigInt(strings.value));
  return [
    { offset: room.offset, bytes: loader },
    { offset: interpreter.offset, bytes: runPath },
    { offset: interpreter.headerOffset + 8, bytes: words(BigInt(room.offset)) },
    { offset: interpreter.headerOffset + 32, bytes: words(BigInt(loader.length)) },
    { offset: debug.offset, bytes: words(BigInt(DT_RPATH), distance) },
  ];
}

/** Finds all libraries that the program needs, directly or not, in the folders where a loader looks. */
async function findLibraries(program: ElfProgram, loader: string): Promise<string[]> {
  const folders = [
    dirname(loader),
    "/lib",
    "/usr/lib",
    "/lib64",
    "/usr/lib64",
    `/lib/${program.machine}-linux-gnu`,
    `/usr/lib/${program.machine}-linux-gnu`,
  ];
  const found = new Map([[basename(loader), loader]]);
  const wanted = [...program.needed];
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (found.has(name)) continue;
    const path = await findIn(folders, name);
    found.set(name, path);
    wanted.push(...(await readElfProgram(path)).needed);
  }
  return [...found.values()];
}

async function findIn(folders: readonly string[], name: string): Promise<string> {
  for (const folder of folders) if (await exists(join(folder, name))) return join(folder, name);
  throw new AppError("host", `there is no ${name} in ${folders.join(", ")}`);
}

function words(...values: bigint[]): Uint8Array {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(value, index * 8);
  return bytes;
}

function unsuited(name: string, why: string): AppError {
  return new AppError("host", `${name} cannot be made self-contained: ${why}`);
}
