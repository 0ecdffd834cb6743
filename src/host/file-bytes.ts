// A file's bytes at any offset, at once (model/random-bytes.ts): whole pages are read and the last ones kept, so
// that many small reads cost few system calls, and memory does not grow with the file.
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { RandomBytes } from "../model/random-bytes.ts";

const PAGE_BYTES = 16 * 1024;
const PAGES_KEPT = 32;
// O_NONBLOCK: opening a FIFO without a writer would wait for ever (open(2)).
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export interface FileBytes extends RandomBytes {
  close(): void;
}

/** Throws for what cannot be opened, and for what is no regular file: opening a device may do things. */
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

/** Of an open file, which stays the caller's. A part that cannot be read is as if the file ended there. */
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

/** As many bytes as there are. */
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
    // EIO, EFAULT: what was read until here is what there is.
  }
  return bytes.subarray(0, filled);
}
