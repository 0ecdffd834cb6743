// Reads a process that the kernel holds, because it dumps core or is stopped: its memory from /proc/P/mem, its mapped
// files from /proc/P/map_files. map_files opens the mapped file itself and not its name, so deleted files and files of
// another mount namespace work, and the descriptor outlives the process (proc(5); needs CAP_SYS_ADMIN or, since Linux
// 5.9, CAP_CHECKPOINT_RESTORE).
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { errnoOf } from "../model/app-error.ts";
import type { FoundModule, ModuleFiles, WantedModule } from "../model/module-files.ts";
import type { ProcessMemory } from "../model/process-memory.ts";
import { bytesOfDescriptor, readFully } from "./file-bytes.ts";

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** The process's memory, which the caller closes. */
export interface HeldMemory extends ProcessMemory {
  close(): void;
}

/** The process's mapped files, which the caller closes. */
export interface HeldModules extends ModuleFiles {
  close(): void;
}

/**
 * Opens a process's memory; procDir is such as "/proc/4242". Throws where the process has ended or this one may not
 * read its memory.
 */
export function openHeldMemory(procDir: string): HeldMemory {
  const fd = openSync(`${procDir}/mem`, FLAGS);
  return {
    // The kernel refuses offsets beyond 2^63, which is its own half of the addresses.
    read: (address, sizeBytes) =>
      address < 0n || address >= 1n << 63n ? Buffer.alloc(0) : readFully(fd, address, sizeBytes),
    close: () => closeSync(fd),
  };
}

/** Opens each mapped file when it is asked for and keeps it open until close. */
export function openHeldModules(procDir: string): HeldModules {
  const opened: number[] = [];
  return {
    find: (wanted) => [openMapped(procDir, wanted, opened)],
    close() {
      for (const fd of opened) closeSync(fd);
    },
  };
}

function openMapped(procDir: string, { start, end }: WantedModule, opened: number[]): FoundModule {
  const name = `${start.toString(16)}-${end.toString(16)}`;
  try {
    const fd = openSync(`${procDir}/map_files/${name}`, FLAGS);
    opened.push(fd);
    const found = fstatSync(fd);
    return found.isFile()
      ? { bytes: bytesOfDescriptor(fd, found.size) }
      : { missing: "what is mapped is no regular file" };
  } catch (error) {
    return { missing: `its mapping cannot be opened: ${errnoOf(error) ?? "unknown error"}` };
  }
}
