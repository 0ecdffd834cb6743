// A program in memory (memfd_create(2)): for hosts where no folder of ours may hold one that runs.
import { closeSync, fchmodSync, fstatSync, writeSync } from "node:fs";
import { AppError } from "../model/app-error.ts";
import { loadLibc } from "./libc.ts";

/** By number (syscall(2)): glibc 2.17 has no function for it. */
const MEMFD_CREATE = process.arch === "arm64" ? 279 : 319;
const MFD_CLOEXEC = 1;
/** Linux 6.3; without it vm.memfd_noexec may take the right to execute away. */
const MFD_EXEC = 0x10;

export interface MemoryProgram {
  /** To start it by. */
  path: string;
  /** As stat(2) has them; no other file has both. */
  device: bigint;
  inode: bigint;
  close: () => void;
}

/** Root's alone to run. Throws AppError "host" where the kernel has no such thing or refuses. */
export function openMemoryProgram(name: string, content: Uint8Array): MemoryProgram {
  const { syscall } = loadLibc({
    syscall: { args: ["i64", "ptr", "u64"], returns: "i64" },
  });
  const create = (flags: number) => Number(syscall(MEMFD_CREATE, Buffer.from(`${name}\0`), flags));
  let fd = create(MFD_CLOEXEC | MFD_EXEC);
  if (fd < 0) fd = create(MFD_CLOEXEC);
  if (fd < 0) throw new AppError("host", "the kernel gives no memory file (memfd_create)");
  try {
    for (let at = 0; at < content.length;) at += writeSync(fd, content, at);
    fchmodSync(fd, 0o700);
    const { dev, ino } = fstatSync(fd, { bigint: true });
    const path = `/proc/${process.pid}/fd/${fd}`;
    return { path, device: dev, inode: ino, close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
