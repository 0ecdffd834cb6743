// A process that the kernel holds (its core is being written, or it is stopped): its memory by /proc/P/mem, the files
// that it has mapped by /proc/P/map_files. A file is opened there by what is mapped, not by its name: deleted ones and
// those of another mount namespace too, and it stays open when the process is gone (proc(5); needs CAP_SYS_ADMIN or,
// since Linux 5.9, CAP_CHECKPOINT_RESTORE).
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { errnoOf } from "../model/app-error.ts";
import type { FoundModule, ModuleFiles, WantedModule } from "../model/module-files.ts";
import type { ProcessMemory } from "../model/process-memory.ts";
import { bytesOfDescriptor, readFully } from "./file-bytes.ts";

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export interface HeldMemory extends ProcessMemory {
  close(): void;
}

export interface HeldModules extends ModuleFiles {
  close(): void;
}

/** procDir: "/proc/4242". Throws where the memory may not be read, or the process is gone. */
export function openHeldMemory(procDir: string): HeldMemory {
  const fd = openSync(`${procDir}/mem`, FLAGS);
  return {
    // The kernel takes no offset beyond 2^63: what lies there is its own half.
    read: (address, sizeBytes) =>
      address < 0n || address >= 1n << 63n ? Buffer.alloc(0) : readFully(fd, address, sizeBytes),
    close: () => closeSync(fd),
  };
}

/** Each file is opened when it is asked for, and stays open until close. */
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
