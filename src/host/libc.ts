// The few system calls that node:fs does not offer, through bun:ffi. Opened on first use (0.2 ms, 2 MB). Callers know
// what the calls are for. Uses only symbols that both glibc 2.17 and musl have.
import { dlopen, type FFIFunction } from "bun:ffi";

const F_SETPIPE_SZ = 1031;
const LOCK_EX = 2;
const LOCK_NB = 4;
const SHUT_RDWR = 2;
const SYSLOG_ACTION_READ_ALL = 3;
const SEEK_DATA = 3;
const FIONREAD = 0x541b;
/** FALLOC_FL_PUNCH_HOLE with FALLOC_FL_KEEP_SIZE, which it demands. */
const PUNCH_HOLE = 3;
const POSIX_FADV_DONTNEED = 4;

/** glibc's name first, then musl's: one source serves both builds. */
const LIBRARIES = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
];

/**
 * Opens symbols of the C library under the name that it has on this host. Throws AggregateError where there is no
 * library or a symbol is missing.
 */
export function loadLibc<const S extends Record<string, FFIFunction>>(symbols: S) {
  const failures: unknown[] = [];
  for (const name of LIBRARIES) {
    try {
      return dlopen(name, symbols).symbols;
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, `no libc found as ${LIBRARIES.join(" or ")}`);
}

/**
 * Returns a function that opens the symbols at its first call (0.2 ms, 2 MB) and keeps them. That call throws as
 * loadLibc does.
 */
export function lazyLibc<const S extends Record<string, FFIFunction>>(symbols: S) {
  let opened: ReturnType<typeof loadLibc<S>> | undefined;
  return () => (opened ??= loadLibc(symbols));
}

const libc = lazyLibc({
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  dup2: { args: ["i32", "i32"], returns: "i32" },
  shutdown: { args: ["i32", "i32"], returns: "i32" },
  lseek: { args: ["i32", "i64", "i32"], returns: "i64" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" },
  posix_fadvise: { args: ["i32", "i64", "i64", "i32"], returns: "i32" },
  setenv: { args: ["ptr", "ptr", "i32"], returns: "i32" },
  klogctl: { args: ["i32", "ptr", "i32"], returns: "i32" },
});

/** Enlarges the pipe behind fd (fcntl F_SETPIPE_SZ). Returns false where fd is no pipe or the kernel refuses. */
export function setPipeSize(fd: number, sizeBytes: number): boolean {
  return libc().fcntl(fd, F_SETPIPE_SZ, sizeBytes) >= 0;
}

/** Takes flock(2) LOCK_EX on fd without waiting. Returns false when another open file holds it. */
export function tryLock(fd: number): boolean {
  return libc().flock(fd, LOCK_EX | LOCK_NB) === 0;
}

/** Makes fd a duplicate of `source` and closes what fd was (dup2(2)). Returns false where the kernel refuses. */
export function replaceDescriptor(source: number, fd: number): boolean {
  return libc().dup2(source, fd) === fd;
}

/**
 * Shuts a connection down in both directions, which also ends a read under way (shutdown(2)). Harmless on other files.
 */
export function shutConnection(fd: number): void {
  libc().shutdown(fd, SHUT_RDWR);
}

/**
 * Copies the newest part of the kernel's log into `buffer` (syslog(2), READ_ALL). Returns the number of bytes, or -1
 * where the kernel refuses.
 */
export function readKernelRing(buffer: Uint8Array): number {
  return libc().klogctl(SYSLOG_ACTION_READ_ALL, buffer, buffer.length);
}

/**
 * Returns the offset of the next data from `position` on in the file behind fd (lseek(2), SEEK_DATA): `position` itself
 * where there is no hole, undefined where only a hole or nothing follows. Moves the file's own position.
 */
export function findData(fd: number, position: number): number | undefined {
  const found = Number(libc().lseek(fd, position, SEEK_DATA));
  return found < 0 ? undefined : found;
}

/** Returns how many bytes wait in the pipe behind fd (ioctl FIONREAD); 0 also where fd is none. */
export function countWaiting(fd: number): number {
  const count = new Int32Array(1);
  return libc().ioctl(fd, FIONREAD, count) === 0 ? (count[0] ?? 0) : 0;
}

/**
 * Gives a part of a file back to the disk and leaves a hole of zeros (fallocate(2)). Returns false where the filesystem
 * cannot.
 */
export function punchHole(fd: number, offset: number, sizeBytes: number): boolean {
  return libc().fallocate(fd, PUNCH_HOLE, offset, sizeBytes) === 0;
}

/** Drops the clean pages of a part of a file from memory (posix_fadvise(2), POSIX_FADV_DONTNEED). */
export function dropFromMemory(fd: number, offset: number, sizeBytes: number): void {
  libc().posix_fadvise(fd, offset, sizeBytes, POSIX_FADV_DONTNEED);
}

/** Sets a variable in this process's own environment, which native code reads (setenv(3)). */
export function setNativeVariable(name: string, value: string): void {
  libc().setenv(Buffer.from(`${name}\0`), Buffer.from(`${value}\0`), 1);
}
