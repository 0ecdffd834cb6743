// Opens files in directories that hostile processes may write to. Each step opens one name in an open directory with
// O_NOFOLLOW, which does what openat2(2)'s RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS do and works on kernels before 5.6.
// Each file is opened with O_PATH first and for reading only when its kind is known. Names are bytes.
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

/** errno's names; the first one where a number has two (EAGAIN and EWOULDBLOCK). */
const ERRNO_NAMES = new Map(
  Object.entries(os.errno)
    .map(([name, value]): [number, string] => [value, name])
    .reverse(),
);

/** Makes the error that node:fs would throw for a failed call. */
function failure(call: string, name: Buffer): Error {
  const location = libc().__errno_location();
  const code = location === null ? "" : (ERRNO_NAMES.get(read.i32(location, 0)) ?? "");
  return Object.assign(new Error(`${code}: ${call} ${JSON.stringify(name.toString())}`), { code });
}

/**
 * Opens the directory at an absolute path; the caller closes it. Throws the system's error, also for a link in any part
 * of the path (ENOTDIR).
 */
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
 * Opens whatever has this name in an open directory, a link itself included, so that the caller can fstat it. The
 * caller closes it. Throws the system's error.
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

/**
 * Opens for reading the regular file that openEntry found: the same inode, even if its name has changed. Throws the
 * system's error.
 */
export function openFound(fd: number, flags: number = O_RDONLY): number {
  return openSync(`/proc/self/fd/${fd}`, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/** Removes a name that is no directory's. Returns false where the name does not exist. Throws the system's error. */
export function removeEntry(directory: number, name: Buffer): boolean {
  if (libc().unlinkat(directory, Buffer.concat([name, Buffer.of(0)]), 0) === 0) return true;
  const error = failure("unlink", name);
  if ("code" in error && error.code === "ENOENT") return false;
  throw error;
}

/** Lists the names in a directory that begin with `prefix`. Looks only at the directory's first `max` names. */
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
 * Returns whether any process has a file open for writing; fd is open for reading. The kernel grants a read lease only
 * where none has. "unknown" where the filesystem has no leases, or where the file is another user's and this process
 * lacks CAP_LEASE.
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
