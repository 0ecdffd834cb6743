// Locks single bytes of a file (fcntl(2), F_SETLK); one file, which stays empty, can carry any number of locks. A lock
// belongs to the process. It ends with the process, and as soon as the process closes any descriptor of that file.
import { loadLibc } from "./libc.ts";

const F_SETLK = 6;
const F_WRLCK = 1;
/** The size of 64-bit Linux's struct flock: type, whence (SEEK_SET), start, length, pid. */
const FLOCK_BYTES = 32;

/** Takes the lock on one byte without waiting. Returns false when another process holds it. */
export function tryLockByte(fd: number, offset: bigint): boolean {
  const lock = Buffer.alloc(FLOCK_BYTES);
  lock.writeInt16LE(F_WRLCK, 0);
  lock.writeBigInt64LE(offset, 8);
  lock.writeBigInt64LE(1n, 16);
  const { fcntl } = loadLibc({ fcntl: { args: ["i32", "i32", "ptr"], returns: "i32" } });
  return fcntl(fd, F_SETLK, lock) === 0;
}
