// The ports of src/explain over what the composer copied (model/crash-excerpt.ts) and the descriptors that it left.
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { bytesOfDescriptor, readFully } from "../host/file-bytes.ts";
import { errnoOf } from "../model/app-error.ts";
import {
  EXCERPT_FD,
  FIRST_MODULE_FD,
  FOOTER_BYTES,
  parseExcerptFooter,
  parseExcerptTable,
  type ExcerptTable,
} from "../model/crash-excerpt.ts";
import type { FoundModule, ModuleFiles } from "../model/module-files.ts";
import type { ProcessMemory } from "../model/process-memory.ts";
import { windowOf, type RandomBytes } from "../model/random-bytes.ts";

export interface Excerpt {
  core: RandomBytes;
  /** undefined where the core has all of it. */
  memory: ProcessMemory | undefined;
  modules: ModuleFiles;
  threadNames: ReadonlyMap<number, string>;
  mayShowMemory: boolean;
}

/** Opens the mapped files, of which the composer only has the places: to be done as root. A file may block for ever. */
export function openExcerpt(): Excerpt {
  const table = readTable();
  const whole = bytesOfDescriptor(EXCERPT_FD, fstatSync(EXCERPT_FD).size);
  const { coreFd } = table;
  const parts =
    coreFd === null
      ? { core: windowOf(whole, 0, table.headBytes), memory: memoryOf(whole, table) }
      : { core: bytesOfDescriptor(coreFd, fstatSync(coreFd).size), memory: undefined };
  return {
    ...parts,
    modules: modulesOf(table),
    threadNames: new Map(
      Object.entries(table.threadNames).map(([tid, name]) => [Number(tid), name]),
    ),
    mayShowMemory: table.mayShowMemory,
  };
}

function readTable(): ExcerptTable {
  const { size } = fstatSync(EXCERPT_FD);
  const { offset, sizeBytes } = parseExcerptFooter(
    readFully(EXCERPT_FD, size - FOOTER_BYTES, FOOTER_BYTES),
  );
  return parseExcerptTable(readFully(EXCERPT_FD, offset, sizeBytes).toString("utf8"));
}

function memoryOf(whole: RandomBytes, { ranges }: ExcerptTable): ProcessMemory {
  const sorted = ranges
    .map(({ address, offset, sizeBytes }) => ({ start: BigInt(`0x${address}`), offset, sizeBytes }))
    .toSorted((a, b) => (a.start < b.start ? -1 : 1));
  return {
    read(address, sizeBytes) {
      const range = sorted.findLast(({ start }) => start <= address);
      if (range === undefined) return Buffer.alloc(0);
      const at = Number(address - range.start);
      if (at >= range.sizeBytes) return Buffer.alloc(0);
      return whole.read(range.offset + at, Math.min(sizeBytes, range.sizeBytes - at));
    },
  };
}

function modulesOf({ modules }: ExcerptTable): ModuleFiles {
  const files = new Map<string, FoundModule>(
    modules.map(({ start, end }, index) => [
      `${start}-${end}`,
      openModule(FIRST_MODULE_FD + index),
    ]),
  );
  const missing = { missing: "the composer could not open what is mapped" };
  return {
    find: ({ start, end }) => [files.get(`${start.toString(16)}-${end.toString(16)}`) ?? missing],
  };
}

/** Opened anew by the place that the descriptor holds (O_PATH); a device is not opened. */
function openModule(fd: number): FoundModule {
  try {
    if (!fstatSync(fd).isFile()) return { missing: "what is mapped is no regular file" };
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    const opened = openSync(`/proc/self/fd/${fd}`, flags);
    closeSync(fd);
    return { bytes: bytesOfDescriptor(opened, fstatSync(opened).size) };
  } catch (error) {
    return { missing: `its mapping cannot be opened: ${errnoOf(error) ?? "unknown error"}` };
  }
}
