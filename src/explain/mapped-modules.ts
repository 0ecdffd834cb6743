// Finds the programs and libraries that the process had mapped, in the core's list of mapped files; opens the file of
// each and compares it with what the core has of it, so that no other build's symbols are believed.
import { segmentAt } from "./core-memory.ts";
import { isElf, PF_X } from "./elf-header.ts";
import type { ElfCore } from "./elf-core.ts";
import { ElfFile } from "./elf-file.ts";
import { untilNul } from "./elf-notes.ts";
import type { FileMapping } from "./file-mappings.ts";
import { FILES_OPENED_MAX, MODULES_MAX, TEXT_MAX_CHARACTERS } from "./limits.ts";
import { Malformed, orUndefined } from "./malformed.ts";
import type { ModuleFiles } from "../model/module-files.ts";
import type { ProcessMemory } from "../model/process-memory.ts";
import type { RandomBytes } from "../model/random-bytes.ts";

/** A program or library in the process's memory. */
export interface MappedModule {
  /** "[vdso]" for the kernel's own. */
  path: string;
  start: bigint;
  end: bigint;
  /** Added to an address as linked, gives the address in the process. */
  bias: bigint;
  buildId: string | null;
  packageNote: string | null;
  /** True where the file that was found is another build's; it is not used then. */
  otherBuild: boolean;
  /** Why its file is not to be had. */
  missing: string | null;
  image: ElfFile | undefined;
}

/** The address of the vdso's header in the auxiliary vector. */
const AT_SYSINFO_EHDR = 33n;
const [AT_PHDR, AT_EXECFN] = [3n, 31n];
const ELF_HEADER_BYTES = 64n;
/** A picture in memory is read as far as this. */
const IMAGE_MAX_BYTES = 2 ** 32;

/** All modules of one process. */
export class MappedModules {
  readonly all: MappedModule[] = [];
  /** ELF files beyond the limit. */
  leftOut = 0;
  private readonly core: ElfCore;
  private readonly memory: ProcessMemory;
  private readonly files: ModuleFiles;
  private opened = 0;
  private executablePaths: Set<string> | undefined;

  constructor(core: ElfCore, memory: ProcessMemory, files: ModuleFiles) {
    this.core = core;
    this.memory = memory;
    this.files = files;
    this.addMapped();
    this.addVdso();
    this.all.sort((a, b) => (a.start < b.start ? -1 : 1));
  }

  at(address: bigint): MappedModule | undefined {
    let [low, high] = [0, this.all.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const module = this.all[middle];
      if (module === undefined) return undefined;
      if (address < module.start) high = middle - 1;
      else if (address >= module.end) low = middle + 1;
      else return module;
    }
    return undefined;
  }

  /** Returns the file of its symbols alone, where there is one of the same build. */
  symbolsOf({ buildId }: MappedModule): ElfFile | undefined {
    const bytes = buildId === null ? undefined : this.files.findSymbols?.(buildId);
    const image = bytes === undefined ? undefined : orUndefined(() => new ElfFile(bytes, true));
    return image?.buildId === buildId ? image : undefined;
  }

  private addMapped(): void {
    const known = new Map<string, MappedModule & { limit: bigint }>();
    const refused = new Set<string>();
    const { mappings } = this.core;
    for (const mapping of mappings.length > 0
      ? mappings
      : executableMapping(this.core, this.memory)) {
      const { path, start, end } = mapping;
      const module = known.get(path);
      if (module !== undefined && start < module.limit) {
        if (end > module.end) module.end = end;
        continue;
      }
      if (refused.has(path) || mapping.fileOffset !== 0) continue;
      if (this.all.length >= MODULES_MAX || this.opened >= FILES_OPENED_MAX) {
        this.leftOut++;
        continue;
      }
      const opened = this.open(mapping);
      if (opened === undefined) {
        refused.add(path);
        continue;
      }
      const span = opened.image?.spanBytes ?? end - start;
      const limit = start + (span > end - start ? span : end - start);
      if (mappings.length === 0) opened.end = limit;
      known.set(path, Object.assign(opened, { limit }));
      this.all.push(opened);
    }
  }

  /** Returns undefined for a file that is no program. */
  private open({ path, start, end }: FileMapping): MappedModule | undefined {
    const head = this.memory.read(start, 4);
    if (head.length === 4 ? !isElf(head) : !this.mayBeProgram(path)) return undefined;
    const picture = orUndefined(() => new ElfFile(this.pictureAt(start), false));
    const buildId = picture === undefined ? null : picture.buildId;
    const found = this.findFile({ path, start, end }, buildId, picture);
    const image = found.image ?? picture;
    if (image === undefined) return undefined;
    return {
      path,
      start,
      end,
      bias: BigInt.asUintN(64, start - image.baseAddress),
      buildId: buildId ?? found.image?.buildId ?? null,
      packageNote: picture?.packageNote ?? found.image?.packageNote ?? null,
      otherBuild: found.otherBuild,
      missing: found.missing,
      image,
    };
  }

  /** Guesses whether a file without its first page in the core is a program: it can be run, or is nowhere in the core. */
  private mayBeProgram(path: string): boolean {
    const { mappings, segments } = this.core;
    if (mappings.length === 0) return true;
    this.executablePaths ??= new Set(
      mappings.flatMap((mapping) => {
        const segment = segmentAt(segments, mapping.start);
        return segment === undefined || (segment.flags & PF_X) !== 0 ? [mapping.path] : [];
      }),
    );
    return this.executablePaths.has(path);
  }

  private findFile(
    { path, start, end }: { path: string; start: bigint; end: bigint },
    buildId: string | null,
    picture: ElfFile | undefined,
  ): { image: ElfFile | undefined; otherBuild: boolean; missing: string | null } {
    this.opened++;
    let missing: string | null = "its file is not to be had";
    let otherBuild = false;
    for (const found of this.files.find({ path, buildId, start, end })) {
      if ("missing" in found) {
        missing = found.missing;
        continue;
      }
      try {
        const image = new ElfFile(found.bytes, true);
        if (isSameBuild(image, buildId, picture))
          return { image, otherBuild: false, missing: null };
        otherBuild = true;
        missing = "the file that was found is another build's";
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        missing = `the file that was found is of no use: ${error.message}`;
      }
    }
    return { image: undefined, otherBuild, missing };
  }

  private pictureAt(start: bigint): RandomBytes {
    return {
      sizeBytes: IMAGE_MAX_BYTES,
      read: (offset, sizeBytes) =>
        offset < 0 ? Buffer.alloc(0) : this.memory.read(start + BigInt(offset), sizeBytes),
    };
  }

  private addVdso(): void {
    const start = this.core.auxiliary.get(AT_SYSINFO_EHDR);
    const segment = start === undefined ? undefined : segmentAt(this.core.segments, start);
    if (start === undefined || segment === undefined) return;
    // The kernel maps it as its file is, section headers and all.
    const image = orUndefined(() => new ElfFile(this.pictureAt(start), true));
    if (image === undefined || this.at(start) !== undefined) return;
    this.all.push({
      path: "[vdso]",
      start,
      end: segment.address + segment.memoryBytes,
      bias: BigInt.asUintN(64, start - image.baseAddress),
      buildId: image.buildId,
      packageNote: null,
      otherBuild: false,
      missing: null,
      image,
    });
  }
}

/** Finds the executable by the auxiliary vector, where the core lists no files (QEMU, Linux before 3.7). */
function executableMapping({ auxiliary }: ElfCore, memory: ProcessMemory): FileMapping[] {
  const [headers, name] = [auxiliary.get(AT_PHDR), auxiliary.get(AT_EXECFN)];
  if (headers === undefined || name === undefined || headers < ELF_HEADER_BYTES) return [];
  const path = untilNul(memory.read(name, TEXT_MAX_CHARACTERS));
  if (!path.startsWith("/")) return [];
  // The program headers follow the ELF header in every program that a linker makes.
  const start = headers - ELF_HEADER_BYTES;
  return [{ start, end: start + 4096n, fileOffset: 0, path }];
}

/** Compares by build-id; where there is none, by the program headers, which hold every size and address. */
export function isSameBuild(
  file: ElfFile,
  buildId: string | null,
  picture: ElfFile | undefined,
): boolean {
  if (buildId !== null) return file.buildId === buildId;
  if (picture === undefined) return true;
  const [ours, theirs] = [file.header.segments, picture.header.segments];
  return (
    file.header.machine === picture.header.machine &&
    ours.length === theirs.length &&
    ours.every((segment, index) => {
      const other = theirs[index];
      return (
        other !== undefined &&
        segment.type === other.type &&
        segment.address === other.address &&
        segment.fileBytes === other.fileBytes &&
        segment.memoryBytes === other.memoryBytes
      );
    })
  );
}

/**
 * The process's memory, with what only the mapped files have: code and constants, which a core leaves out.
 */
export function openWholeMemory(memory: ProcessMemory, modules: MappedModules): ProcessMemory {
  return {
    read(address, sizeBytes) {
      const bytes = memory.read(address, sizeBytes);
      if (bytes.length > 0) return bytes;
      const module = modules.at(address);
      if (module?.image?.isFile !== true) return bytes;
      return module.image.read(BigInt.asUintN(64, address - module.bias), sizeBytes);
    },
  };
}
