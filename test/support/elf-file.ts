// Reads what an ELF64 little-endian executable asks of its loader: machine, interpreter, needed libraries
// and symbol versions. Section headers are used, as the executables keep them. Source: elf(5).
import { readFile } from "node:fs/promises";

export interface ElfFile {
  machine: "x64" | "arm64";
  interpreter: string;
  needed: string[];
  /** Every version of .gnu.version_r, such as GLIBC_2.17, each once. */
  versions: string[];
}

interface Section {
  type: number;
  offset: number;
  size: number;
  /** Index of the section with this one's strings. */
  link: number;
  /** Entries of a .gnu.version_r section. */
  info: number;
}

const MACHINES: Record<number, ElfFile["machine"]> = { 62: "x64", 183: "arm64" };
const PT_INTERP = 3;
const SHT_DYNAMIC = 6;
const SHT_GNU_VERNEED = 0x6ffffffe;
const DT_NEEDED = 1n;

export async function readElfFile(path: string): Promise<ElfFile> {
  const file = await readFile(path);
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2) throw new Error(`${path}: no ELF64`);
  const machine = MACHINES[file.readUInt16LE(18)];
  if (machine === undefined) throw new Error(`${path}: an unknown machine`);
  const sections = readSections(file);
  return {
    machine,
    interpreter: readInterpreter(file),
    needed: [...neededLibraries(file, sections)],
    versions: [...new Set(neededVersions(file, sections))],
  };
}

function readSections(file: Buffer): Section[] {
  const table = Number(file.readBigUInt64LE(40));
  const entryBytes = file.readUInt16LE(58);
  const count = file.readUInt16LE(60);
  return Array.from({ length: count }, (_, i) => {
    const at = table + i * entryBytes;
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
      info: file.readUInt32LE(at + 44),
    };
  });
}

function readInterpreter(file: Buffer): string {
  const table = Number(file.readBigUInt64LE(32));
  const entryBytes = file.readUInt16LE(54);
  for (let i = 0; i < file.readUInt16LE(56); i++) {
    const at = table + i * entryBytes;
    if (file.readUInt32LE(at) !== PT_INTERP) continue;
    return textAt(file, Number(file.readBigUInt64LE(at + 8)));
  }
  throw new Error("no interpreter");
}

function* neededLibraries(file: Buffer, sections: readonly Section[]): Generator<string> {
  for (const dynamic of sections.filter(({ type }) => type === SHT_DYNAMIC)) {
    const strings = sections[dynamic.link]?.offset ?? 0;
    for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16)
      if (file.readBigUInt64LE(at) === DT_NEEDED)
        yield textAt(file, strings + Number(file.readBigUInt64LE(at + 8)));
  }
}

/** Elf64_Verneed (next at +12, count at +2, first at +8), each with its Elf64_Vernaux (name +8, next +12). */
function* neededVersions(file: Buffer, sections: readonly Section[]): Generator<string> {
  for (const section of sections.filter(({ type }) => type === SHT_GNU_VERNEED)) {
    const strings = sections[section.link]?.offset ?? 0;
    let need = section.offset;
    for (let i = 0; i < section.info; i++) {
      let name = need + file.readUInt32LE(need + 8);
      for (let j = 0; j < file.readUInt16LE(need + 2); j++) {
        yield textAt(file, strings + file.readUInt32LE(name + 8));
        name += file.readUInt32LE(name + 12);
      }
      need += file.readUInt32LE(need + 12);
    }
  }
}

function textAt(file: Buffer, offset: number): string {
  return file.toString("latin1", offset, file.indexOf(0, offset));
}
