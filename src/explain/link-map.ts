// The loader's own list of what it loaded (link.h, struct r_debug), read from the process's memory: by which names a
// debugger asks for the mapped files. NT_FILE has the files' real paths, which may be others. Hostile input: bounded.
import { readWord } from "./core-memory.ts";
import type { ElfCore } from "./elf-core.ts";
import { untilNul } from "./elf-notes.ts";
import { MODULES_MAX, TEXT_MAX_CHARACTERS } from "./limits.ts";
import type { ProcessMemory } from "../model/process-memory.ts";

/** One entry of the list. */
export interface LoadedName {
  /** The loader's name, such as /lib/x86_64-linux-gnu/libc.so.6; never empty. */
  name: string;
  /** The address of its dynamic section, which lies in the module. */
  dynamic: bigint;
}

const [AT_PHDR, AT_PHENT, AT_PHNUM] = [3n, 4n, 5n];
const [PT_DYNAMIC, PT_PHDR] = [2, 6];
const [DT_NULL, DT_DEBUG] = [0n, 21n];
const HEADERS_MAX = 64n;
const DYNAMIC_MAX = 256;

/** Reads the list; empty for a static program, and where the core lacks its pages. */
export function readLinkMap({ auxiliary }: ElfCore, memory: ProcessMemory): LoadedName[] {
  const dynamic = findDynamic(auxiliary, memory);
  const debug = dynamic === undefined ? undefined : findDebug(dynamic, memory);
  if (debug === undefined || debug === 0n) return [];
  const names: LoadedName[] = [];
  // r_debug: version, then the list; link_map: l_addr, l_name, l_ld, l_next.
  let entry = readWord(memory, debug + 8n);
  for (let seen = 0; seen < MODULES_MAX && entry !== undefined && entry !== 0n; seen++) {
    const [nameAt, place] = [readWord(memory, entry + 8n), readWord(memory, entry + 16n)];
    const name = nameAt === undefined ? "" : untilNul(memory.read(nameAt, TEXT_MAX_CHARACTERS));
    if (name !== "" && place !== undefined) names.push({ name, dynamic: place });
    entry = readWord(memory, entry + 24n);
  }
  return names;
}

function findDynamic(auxiliary: ElfCore["auxiliary"], memory: ProcessMemory): bigint | undefined {
  const [headers, size, count] = [AT_PHDR, AT_PHENT, AT_PHNUM].map((tag) => auxiliary.get(tag));
  if (headers === undefined || size === undefined || count === undefined) return undefined;
  let [bias, found] = [0n, undefined as bigint | undefined];
  for (let index = 0n; index < count && index < HEADERS_MAX; index++) {
    const header = memory.read(headers + index * size, 24);
    if (header.length < 24) return undefined;
    const address = header.readBigUInt64LE(16);
    if (header.readUInt32LE(0) === PT_PHDR) bias = BigInt.asUintN(64, headers - address);
    if (header.readUInt32LE(0) === PT_DYNAMIC) found = address;
  }
  return found === undefined ? undefined : BigInt.asUintN(64, found + bias);
}

function findDebug(dynamic: bigint, memory: ProcessMemory): bigint | undefined {
  for (let index = 0n; index < DYNAMIC_MAX; index++) {
    const tag = readWord(memory, dynamic + index * 16n);
    if (tag === undefined || tag === DT_NULL) return undefined;
    if (tag === DT_DEBUG) return readWord(memory, dynamic + index * 16n + 8n);
  }
  return undefined;
}
