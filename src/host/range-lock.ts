// Locks on single bytes of a file (fcntl(2), F_SETLK): any number of them in one file, which stays empty. They belong
// to the process and end with it, and with the first close of any descriptor of that file in it.
import { loadLibc } from "./libc.ts";

const F_SETLK = 6;
const F_WRLCK = 1;
/** struct flock of 64-bit Linux: type, whence (SEEK_SET), start, length, pid. */
const FLOCK_BYTES = 32;

/** Takes the lock on one byte without waiting. False when another process has it. */
export function tryLockByte(fd: number, offset: bigint): boolean {
  const lock = Buffer.alloc(FLOCK_BYTES);
  lock.writeInt16LE(F_WRLCK, 0);
  lock.writeBigInt64LE(offset, 8);
  lock.writeBigInt64LE(1n, 16);
  const { fcntl } = loadLibc({ fcntl: { args: ["i32", "i32", "ptr"], returns: "i32" } });
  return fcntl(fd, F_SETLK, lock) === 0;
}
