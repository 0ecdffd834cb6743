// Makes files in memory (memfd_create(2)): a program, for hosts where no folder of this program's allows execution,
// and a text that only one other process may read.
import { closeSync, fchmodSync, fstatSync, ftruncateSync, writeSync } from "node:fs";
import { AppError } from "../model/app-error.ts";
import { loadLibc } from "./libc.ts";

/** By number (syscall(2)): glibc 2.17 has no function for it. */
const MEMFD_CREATE = process.arch === "arm64" ? 279 : 319;
const [MFD_CLOEXEC, MFD_ALLOW_SEALING] = [1, 2];
const [F_ADD_SEALS, F_SEAL_SHRINK, F_SEAL_GROW] = [1033, 2, 4];
/** Linux 6.3; without this flag vm.memfd_noexec may forbid execution. */
const MFD_EXEC = 0x10;

/** A program in memory. */
export interface MemoryProgram {
  /** The path by which it is started. */
  path: string;
  /** Device and inode identify the file (stat(2)). */
  device: bigint;
  inode: bigint;
  close: () => void;
}

/**
 * Makes a program that only root may run; the caller closes it. Throws AppError "host" where the kernel cannot or
 * refuses.
 */
export function openMemoryProgram(name: string, content: Uint8Array): MemoryProgram {
  const fd = openMemoryFile(name, content, [MFD_CLOEXEC | MFD_EXEC, MFD_CLOEXEC]);
  try {
    fchmodSync(fd, 0o700);
    const { dev, ino } = fstatSync(fd, { bigint: true });
    const path = `/proc/${process.pid}/fd/${fd}`;
    return { path, device: dev, inode: ino, close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Returns a descriptor of a file with this text; the caller closes it. Throws AppError "host" where the kernel refuses.
 */
export function openMemoryText(name: string, text: string): number {
  return openMemoryFile(name, Buffer.from(text), [MFD_CLOEXEC]);
}

/** A descriptor of an empty file; the caller's to close. Throws AppError "host". */
export function openMemorySpace(name: string): number {
  return openMemoryFile(name, Buffer.alloc(0), [MFD_CLOEXEC]);
}

/** The same with sizeBytes zeros, which whoever gets it can neither lengthen nor shorten (fcntl(2), F_ADD_SEALS). */
export function openSealedSpace(name: string, sizeBytes: number): number {
  const fd = openMemoryFile(name, Buffer.alloc(0), [MFD_CLOEXEC | MFD_ALLOW_SEALING]);
  ftruncateSync(fd, sizeBytes);
  const { fcntl } = loadLibc({ fcntl: { args: ["i32", "i32", "i32"], returns: "i32" } });
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) === 0) return fd;
  closeSync(fd);
  throw new AppError("host", "the kernel seals no memory file (F_ADD_SEALS)");
}

/** Makes the file with the first of these flags that the kernel knows. */
function openMemoryFile(name: string, content: Uint8Array, flags: readonly number[]): number {
  const { syscall } = loadLibc({
    syscall: { args: ["i64", "ptr", "u64"], returns: "i64" },
  });
  const nameBytes = Buffer.from(`${name}\0`);
  const create = (flag: number) => Number(syscall(MEMFD_CREATE, nameBytes, flag));
  const fd = flags.reduce((found, flag) => (found >= 0 ? found : create(flag)), -1);
  if (fd < 0) throw new AppError("host", "the kernel gives no memory file (memfd_create)");
  try {
    for (let at = 0; at < content.length;) at += writeSync(fd, content, at);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
