// Bytes that can be read at any offset: a file's, a core's or a process's. The port through which src/explain reads;
// its adapters are in src/host and in the commands that read dumps.

/** Reads bytes by offset. */
export interface RandomBytes {
  readonly sizeBytes: number;
  /** Returns the bytes [offset, offset + sizeBytes); fewer where they end or cannot be read. Never throws. */
  read(offset: number, sizeBytes: number): Buffer;
}

/** Wraps a buffer; reads return views of it. */
export function bytesOf(buffer: Buffer): RandomBytes {
  return {
    sizeBytes: buffer.length,
    read: (offset, sizeBytes) =>
      offset < 0 ? Buffer.alloc(0) : buffer.subarray(offset, offset + Math.max(0, sizeBytes)),
  };
}

/** Returns a part of other bytes, with offsets that count from `start`. */
export function windowOf(bytes: RandomBytes, start: number, sizeBytes: number): RandomBytes {
  return {
    sizeBytes,
    read(offset, wanted) {
      const length = Math.min(wanted, sizeBytes - offset);
      return offset < 0 || length <= 0 ? Buffer.alloc(0) : bytes.read(start + offset, length);
    },
  };
}
