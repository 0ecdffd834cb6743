// Files in directories that others may write to, hostile others too: each step is one name in an open directory, no
// link is followed (O_NOFOLLOW at every step: what openat2(2)'s RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS do, on
// kernels before 5.6 too), and nothing is opened but looked at (O_PATH) before its kind is known. Names are bytes.
import { read } from "bun:ffi";
import { closeSync, constants, openSync } from "node:fs";
import { constants as os } from "node:os";
import { lazyLibc } from "./libc.ts";

const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_RDONLY } = constants;
const AT_FDCWD = -100;
const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;
/** Ignored by default, unlike SIGIO, which ends the process (fcntl(2), "Leases"). */
const SIGWINCH = 28;
const SYS_GETDENTS64 = process.arch === "arm64" ? 61 : 217;
const LIST_BUFFER_BYTES = 32 * 1024;

const libc = lazyLibc({
  openat: { args: ["i32", "ptr", "i32"], returns: "i32" },
  unlinkat: { args: ["i32", "ptr", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  syscall: { args: ["i64", "i64", "ptr", "u64"], returns: "i64" },
  __errno_location: { args: [], returns: "ptr" },
});

/** Where a number has two names (EAGAIN and EWOULDBLOCK), the first. */
const ERRNO_NAMES = new Map(
  Object.entries(os.errno)
    .map(([name, value]): [number, string] => [value, name])
    .reverse(),
);

/** A failed call as node:fs would throw it. */
function failure(call: string, name: Buffer): Error {
  const location = libc().__errno_location();
  const code = location === null ? "" : (ERRNO_NAMES.get(read.i32(location, 0)) ?? "");
  return Object.assign(new Error(`${code}: ${call} ${JSON.stringify(name.toString())}`), { code });
}

/** The directory at an absolute path, no part of which may be a link (ENOTDIR). The caller closes it. */
export function openDirectoryAt(path: string): number {
  let fd = openName(AT_FDCWD, Buffer.from("/"), O_PATH | O_DIRECTORY);
  for (const part of path.split("/").filter((name) => name !== "")) {
    const above = fd;
    try {
      fd = openEntry(above, Buffer.from(part), "directory");
    } finally {
      closeSync(above);
    }
  }
  return fd;
}

/**
 * What has this name in an open directory, a link itself included; to be looked at with fstat. The caller closes it.
 */
export function openEntry(directory: number, name: Buffer, kind: "directory" | "any"): number {
  return openName(directory, name, O_PATH | O_NOFOLLOW | (kind === "directory" ? O_DIRECTORY : 0));
}

function openName(directory: number, name: Buffer, flags: number): number {
  const isOneName = name.toString() === "/" || !name.includes("/");
  if (!isOneName || name.includes(0) || name.toString() === "..")
    throw Object.assign(new Error("EINVAL: no single name"), { code: "EINVAL" });
  const fd = libc().openat(directory, Buffer.concat([name, Buffer.of(0)]), flags | O_CLOEXEC);
  if (fd < 0) throw failure("open", name);
  return fd;
}

/** Opens for reading what openEntry found to be a regular file: the same inode, whatever its name is by now. */
export function openFound(fd: number, flags: number = O_RDONLY): number {
  return openSync(`/proc/self/fd/${fd}`, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/** Removes a name, if it is no directory's. False where it is gone already. */
export function removeEntry(directory: number, name: Buffer): boolean {
  if (libc().unlinkat(directory, Buffer.concat([name, Buffer.of(0)]), 0) === 0) return true;
  const error = failure("unlink", name);
  if ("code" in error && error.code === "ENOENT") return false;
  throw error;
}

/** The names in a directory that begin with `prefix`; of very many only those that are among the first `max`. */
export function listEntries(directory: number, prefix: string, max: number): Buffer[] {
  const wanted = Buffer.from(prefix);
  const buffer = Buffer.alloc(LIST_BUFFER_BYTES);
  const found: Buffer[] = [];
  const fd = openFound(directory, O_RDONLY | O_DIRECTORY);
  try {
    for (let seen = 0; seen < max;) {
      const count = Number(libc().syscall(SYS_GETDENTS64, fd, buffer, buffer.length));
      if (count < 0) throw failure("list", Buffer.from(prefix));
      if (count === 0) break;
      // struct linux_dirent64: d_ino, d_off, d_reclen (16 bits, at 16), d_type, the name with its NUL.
      for (let at = 0; at < count; at += buffer.readUInt16LE(at + 16), seen++) {
        const name = buffer.subarray(at + 19, buffer.indexOf(0, at + 19));
        if (name.subarray(0, wanted.length).equals(wanted)) found.push(Buffer.from(name));
      }
    }
  } finally {
    closeSync(fd);
  }
  return found;
}

/**
 * Whether anybody has this file, open for reading here, open for writing: the kernel grants a read lease only where
 * nobody has. "unknown" where the filesystem has no leases, or another user's file needs CAP_LEASE.
 */
export function findWriters(fd: number): "none" | "some" | "unknown" {
  const { fcntl } = libc();
  fcntl(fd, F_SETSIG, SIGWINCH);
  if (fcntl(fd, F_SETLEASE, F_RDLCK) === 0) {
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return "none";
  }
  const error = failure("lease", Buffer.alloc(0));
  return "code" in error && error.code === "EAGAIN" ? "some" : "unknown";
}
