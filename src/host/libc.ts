// The few system calls that node:fs does not offer, through bun:ffi. Opened on first use (0.2 ms, 2 MB).
// Nothing here knows what the calls are for. Only symbols that glibc 2.17 and musl both have.
import { dlopen, type FFIFunction } from "bun:ffi";

const F_SETPIPE_SZ = 1031;
const LOCK_EX = 2;
const LOCK_NB = 4;
const SHUT_RDWR = 2;
const SYSLOG_ACTION_READ_ALL = 3;
const SEEK_DATA = 3;

/** glibc's name first, then musl's: one source serves both builds. */
const LIBRARIES = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
];

/**
 * Symbols of the C library, under whichever name it has here. Throws an AggregateError where there is none, or
 * one of the symbols is missing.
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

/** The same, opened at the first call (0.2 ms, 2 MB) and kept. */
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
  klogctl: { args: ["i32", "ptr", "i32"], returns: "i32" },
});

/** Enlarges the pipe behind fd (fcntl F_SETPIPE_SZ). False where fd is no pipe or the kernel refused. */
export function setPipeSize(fd: number, sizeBytes: number): boolean {
  return libc().fcntl(fd, F_SETPIPE_SZ, sizeBytes) >= 0;
}

/** Takes flock(2) LOCK_EX on fd without waiting. False when another open file holds it. */
export function tryLock(fd: number): boolean {
  return libc().flock(fd, LOCK_EX | LOCK_NB) === 0;
}

/** Makes fd another name for what `source` is open on (dup2), closing what it was. False when refused. */
export function replaceDescriptor(source: number, fd: number): boolean {
  return libc().dup2(source, fd) === fd;
}

/** Ends both directions of a connection, a read under way too (shutdown(2)). Harmless on what is no socket. */
export function shutConnection(fd: number): void {
  libc().shutdown(fd, SHUT_RDWR);
}

/** Copies the newest part of the kernel's log into `buffer` (syslog(2), READ_ALL): the bytes, or -1 where refused. */
export function readKernelRing(buffer: Uint8Array): number {
  return libc().klogctl(SYSLOG_ACTION_READ_ALL, buffer, buffer.length);
}

/**
 * Where in the file behind fd the next data is, from `position` on (lseek(2), SEEK_DATA): `position` itself where
 * there is no hole, undefined where nothing but a hole follows, or nothing. Moves the file's own position.
 */
export function findData(fd: number, position: number): number | undefined {
  const found = Number(libc().lseek(fd, position, SEEK_DATA));
  return found < 0 ? undefined : found;
}
