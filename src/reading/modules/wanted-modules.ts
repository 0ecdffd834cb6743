// Which files a crashed process had mapped, as its core and the dump's T-modules.json tell: what a debugger needs, and
// how each is known again. Hostile input: paths and build-ids are the process's own words.
import { join } from "node:path";
import { openCoreMemory } from "../../explain/core-memory.ts";
import { parseElfCore } from "../../explain/elf-core.ts";
import type { ElfFile } from "../../explain/elf-file.ts";
import { readLinkMap } from "../../explain/link-map.ts";
import { MappedModules } from "../../explain/mapped-modules.ts";
import { NO_MODULE_FILES } from "../../model/module-files.ts";
import { isModuleId } from "../../model/module-id.ts";
import type { ListedModule } from "../../model/module-list.ts";
import type { RandomBytes } from "../../model/random-bytes.ts";

/** A file to find. */
export interface WantedFile {
  /** The path as the process saw it, absolute, without "..". */
  path: string;
  /** What the loader called it, likewise; debuggers ask by these names. */
  names: string[];
  /** The first mapping's addresses. */
  start: bigint;
  end: bigint;
  /** From the process's own pages, else from the dump's list; null where it has none, or nobody knows. */
  buildId: string | null;
  /** Of the file that was mapped; null where the dump has no list of modules. */
  sha256: string | null;
  isProgram: boolean;
  /** Its first page in the core: headers, for files without a build-id; undefined where the core lacks it. */
  picture: ElfFile | undefined;
  /** An ELF file without any content that stands for it: its first page, or a bare header where the core lacks that. */
  stub: Buffer;
}

const AT_PHDR = 3n;
const [PAGE_BYTES, HEADER_BYTES, MACHINE_AT, ET_DYN] = [4096, 64, 18, 3];

/**
 * Finds what to look for. exePath is where the program was, if it is an absolute path; else the core's own word counts.
 * Throws Malformed for what is no core of a known kind.
 */
export function findWanted(
  bytes: RandomBytes,
  listed: readonly ListedModule[],
  exePath?: unknown,
): WantedFile[] {
  const core = parseElfCore(bytes);
  const memory = openCoreMemory(bytes, core.segments);
  const modules = new MappedModules(core, memory, NO_MODULE_FILES);
  const headers = core.auxiliary.get(AT_PHDR) ?? -1n;
  const byStart = new Map(listed.map((module) => [module.start, module]));
  const wanted: WantedFile[] = [];
  for (const module of modules.all) {
    if (!module.path.startsWith("/")) continue;
    const start = module.start.toString(16);
    const known = byStart.get(start);
    byStart.delete(start);
    wanted.push({
      path: inside(module.path),
      names: [],
      start: module.start,
      end: module.end,
      buildId: module.buildId ?? known?.build_id ?? null,
      sha256: known?.sha256 ?? null,
      isProgram: headers >= module.start && headers < module.end,
      picture: module.image,
      stub: stubOf(memory.read(module.start, PAGE_BYTES), bytes),
    });
  }
  // Files whose first page is not in the core (coredump_filter) are known by the list alone.
  const stub = stubOf(Buffer.alloc(0), bytes);
  for (const module of byStart.values()) wanted.push({ ...listedOnly(module, headers), stub });
  for (const { name, dynamic } of readLinkMap(core, memory)) {
    const owner = modules.at(dynamic)?.start;
    const file = wanted.find(({ start }) => start === owner);
    if (file !== undefined && name.startsWith("/") && !file.names.includes(inside(name)))
      file.names.push(inside(name));
  }
  const program = wanted.find(({ isProgram }) => isProgram);
  if (program !== undefined && typeof exePath === "string" && exePath.startsWith("/"))
    program.path = inside(exePath);
  return wanted;
}

function listedOnly(
  { path, start, end, build_id, sha256 }: ListedModule,
  headers: bigint,
): Omit<WantedFile, "stub"> {
  const [from, to] = [BigInt(`0x${start}`), BigInt(`0x${end}`)];
  return {
    path: inside(path),
    names: [],
    start: from,
    end: to,
    buildId: build_id,
    sha256,
    isProgram: headers >= from && headers < to,
    picture: undefined,
  };
}

/** A debugger that finds such a file looks for no other of that name. */
function stubOf(firstPage: Buffer, core: RandomBytes): Buffer {
  if (firstPage.length > HEADER_BYTES) return Buffer.from(firstPage);
  const header = Buffer.alloc(HEADER_BYTES);
  // The core's own identification and machine.
  core.read(0, MACHINE_AT + 2).copy(header);
  header.writeUInt16LE(ET_DYN, 16);
  header.writeUInt32LE(1, 20);
  header.writeUInt16LE(HEADER_BYTES, 52);
  return header;
}

/** The process chose the path, so ".." in it must not lead out of a folder. */
function inside(path: string): string {
  return join("/", path.replace(/ \(deleted\)$/u, "").replaceAll("\0", ""));
}

/** Returns the id by which stores and caches have the file; undefined where nothing identifies it. */
export function idOf({
  buildId,
  sha256,
}: Pick<WantedFile, "buildId" | "sha256">): string | undefined {
  if (buildId !== null && isModuleId(buildId)) return buildId;
  return sha256 ?? undefined;
}
