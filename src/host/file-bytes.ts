// Reads a file's bytes at any offset (src/model/random-bytes.ts). Reads whole pages and keeps the last ones, so that
// many small reads cost few system calls and memory does not grow with the file.
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { RandomBytes } from "../model/random-bytes.ts";

const PAGE_BYTES = 16 * 1024;
const PAGES_KEPT = 32;
// O_NONBLOCK: opening a FIFO without a writer would wait for ever (open(2)).
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** A file's bytes, which the caller closes. */
export interface FileBytes extends RandomBytes {
  close(): void;
}

/**
 * Opens a file. Throws where that fails, and for anything but a regular file, because opening a device may have
 * effects.
 */
export function openFileBytes(path: string): FileBytes {
  if (!statSync(path).isFile()) throw new Error(`${path} is not a regular file`);
  const fd = openSync(path, FLAGS);
  const found = fstatSync(fd);
  if (!found.isFile()) {
    closeSync(fd);
    throw new Error(`${path} is not a regular file`);
  }
  return { ...bytesOfDescriptor(fd, found.size), close: () => closeSync(fd) };
}

/** Reads from an open file, which the caller still closes. Where a part cannot be read, the bytes end. */
export function bytesOfDescriptor(fd: number, sizeBytes: number): RandomBytes {
  const pages = new Map<number, Buffer>();
  const page = (number: number): Buffer => {
    const known = pages.get(number);
    if (known !== undefined) return known;
    const oldest = pages.size < PAGES_KEPT ? undefined : pages.keys().next().value;
    if (oldest !== undefined) pages.delete(oldest);
    const bytes = readFully(
      fd,
      number * PAGE_BYTES,
      Math.min(PAGE_BYTES, sizeBytes - number * PAGE_BYTES),
    );
    pages.set(number, bytes);
    return bytes;
  };
  return {
    sizeBytes,
    read(offset, wanted) {
      const length = Math.min(wanted, sizeBytes - offset);
      if (offset < 0 || length <= 0) return Buffer.alloc(0);
      const start = offset % PAGE_BYTES;
      if (start + length > PAGE_BYTES) return readFully(fd, offset, length);
      return page(Math.floor(offset / PAGE_BYTES)).subarray(start, start + length);
    },
  };
}

/** Reads sizeBytes bytes from an offset on, or fewer where the file ends or cannot be read. Never throws. */
export function readFully(fd: number, offset: number | bigint, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let filled = 0;
  try {
    while (filled < sizeBytes) {
      const position = typeof offset === "bigint" ? offset + BigInt(filled) : offset + filled;
      const count = readSync(fd, bytes, filled, sizeBytes - filled, position);
      if (count === 0) break;
      filled += count;
    }
  } catch {
    // EIO or EFAULT: returns the bytes that were read so far.
  }
  return bytes.subarray(0, filled);
}
