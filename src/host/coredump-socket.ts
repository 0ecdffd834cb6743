// The system calls for the kernel's coredump socket: a listening unix(7) socket that a child process can inherit, and
// questions about the process behind a connection. src/model/coredump-protocol.ts knows what the bytes mean.
import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import {
  formatInfoRequest,
  parsePidfdInfo,
  PIDFD_INFO_BYTES,
  type PidfdInfo,
} from "../model/coredump-protocol.ts";
import { lazyLibc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_RCVTIMEO = 20;
/** include/uapi/asm-generic/socket.h, Linux 6.5 */
const SO_PEERPIDFD = 77;
const MSG_PEEK = 2;
const MSG_WAITALL = 0x100;
const MSG_NOSIGNAL = 0x4000;
const POLLIN = 1;
/** _IOWR(0xFF, 11, struct pidfd_info): the size is part of the number. */
const PIDFD_GET_INFO = 0xc000ff0b + PIDFD_INFO_BYTES * 0x10000;
const PR_SET_DUMPABLE = 4;

const libc = lazyLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  accept4: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
});

/**
 * Binds a new socket file and listens. Returns the descriptor; the caller closes it. Throws where the path exists or
 * cannot be made.
 */
export function listenAt(path: string, backlog: number): number {
  const { socket, bind, listen } = libc();
  const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const name = formatAddress(path);
  if (fd < 0 || bind(fd, ptr(name), name.length) !== 0 || listen(fd, backlog) !== 0) {
    if (fd >= 0) closeSync(fd);
    throw new Error(`cannot listen at ${path}`);
  }
  return fd;
}

/** Writes struct sockaddr_un: the family, then the path with its NUL. */
function formatAddress(path: string): Buffer {
  const name = Buffer.from(`\0\0${path}\0`);
  name.writeUInt16LE(AF_UNIX, 0);
  return name;
}

/**
 * Returns the pid, in this process's pid namespace, of the process that listens at a path, whether it answers or not;
 * undefined where none listens.
 */
export function findListener(path: string): number | undefined {
  const { socket, connect } = libc();
  const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const name = formatAddress(path);
  try {
    return connect(fd, ptr(name), name.length) === 0 ? readPeerPid(fd) : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Blocks this thread, and so its timers, until a connection or bytes arrive. Returns false when timeoutMs is over. */
export function waitForInput(fd: number, timeoutMs: number): boolean {
  // struct pollfd
  const wanted = Buffer.alloc(8);
  wanted.writeInt32LE(fd, 0);
  wanted.writeInt16LE(POLLIN, 4);
  return libc().poll(ptr(wanted), 1, timeoutMs) > 0;
}

/**
 * Accepts the next connection and blocks until there is one. Returns its descriptor, the caller's to close; undefined
 * where accepting fails.
 */
export function acceptConnection(listener: number): number | undefined {
  const fd = libc().accept4(listener, null, null, SOCK_CLOEXEC);
  return fd < 0 ? undefined : fd;
}

/** Returns a pidfd of the process that connected, the caller's to close; undefined where the kernel has none. */
export function openPeerPidfd(connection: number): number | undefined {
  const pidfd = new Int32Array(1);
  const size = new Uint32Array([4]);
  const result = libc().getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, ptr(pidfd), ptr(size));
  return result === 0 ? pidfd[0] : undefined;
}

/**
 * Returns the pid of the process that connected, in this process's pid namespace; 0 where that namespace does not have
 * it.
 */
export function readPeerPid(connection: number): number {
  // struct ucred: pid, uid, gid
  const credentials = new Int32Array(3);
  const size = new Uint32Array([credentials.byteLength]);
  libc().getsockopt(connection, SOL_SOCKET, SO_PEERCRED, ptr(credentials), ptr(size));
  return credentials[0] ?? 0;
}

/**
 * Asks the kernel about the process behind a pidfd; undefined where the kernel does not know the question (Linux before
 * 6.13).
 */
export function readPidfdInfo(pidfd: number): PidfdInfo | undefined {
  const info = formatInfoRequest();
  return libc().ioctl(pidfd, PIDFD_GET_INFO, ptr(info)) === 0 ? parsePidfdInfo(info) : undefined;
}

/**
 * Limits how long a read on the connection blocks (SO_RCVTIMEO); 0 removes the limit. For the few reads that block the
 * main thread.
 */
export function limitReceive(connection: number, timeoutMs: number): void {
  const time = new BigInt64Array([
    BigInt(Math.floor(timeoutMs / 1000)),
    BigInt((timeoutMs % 1000) * 1000),
  ]);
  libc().setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, ptr(time), time.byteLength);
}

/**
 * Receives the next sizeBytes bytes, fewer at the end or when limitReceive's time is over. With `peek` the bytes stay
 * in the socket.
 */
export function receive(connection: number, sizeBytes: number, peek = false): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  if (!peek) return bytes.subarray(0, receiveInto(connection, bytes));
  const flags = MSG_WAITALL | MSG_PEEK;
  const count = Number(libc().recv(connection, ptr(bytes), BigInt(sizeBytes), flags));
  return bytes.subarray(0, Math.max(0, count));
}

/**
 * Fills `bytes` and blocks this thread no longer than limitReceive allows. Returns how many bytes came; 0 at the end,
 * or when none came in time.
 */
export function receiveInto(connection: number, bytes: Uint8Array): number {
  const count = libc().recv(connection, ptr(bytes), BigInt(bytes.length), MSG_WAITALL);
  return Math.max(0, Number(count));
}

/** Sends all bytes. Returns false where the other side has closed the connection. */
export function transmit(connection: number, bytes: Uint8Array): boolean {
  const count = libc().send(connection, ptr(bytes), BigInt(bytes.length), MSG_NOSIGNAL);
  return Number(count) === bytes.length;
}

/**
 * Makes the kernel write no core of this process from now on (prctl(2)). Otherwise a coredump server that crashes would
 * dump into its own socket and wait for itself. An execve undoes it.
 */
export function becomeUndumpable(): void {
  libc().prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n);
}
