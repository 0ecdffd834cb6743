// Bytes that stand at known offsets and can be had at once: a file's, a core's, a process's. The port through
// which src/explain sees the world; its adapters are in src/host and in the commands that read dumps.

export interface RandomBytes {
  readonly sizeBytes: number;
  /** The bytes [offset, offset + sizeBytes): fewer where they end or cannot be read. Never throws. */
  read(offset: number, sizeBytes: number): Buffer;
}

export const NO_BYTES: RandomBytes = { sizeBytes: 0, read: () => Buffer.alloc(0) };

export function bytesOf(buffer: Buffer): RandomBytes {
  return {
    sizeBytes: buffer.length,
    read: (offset, sizeBytes) =>
      offset < 0 ? Buffer.alloc(0) : buffer.subarray(offset, offset + Math.max(0, sizeBytes)),
  };
}

/** A part of other bytes, as if it began at 0. */
export function windowOf(bytes: RandomBytes, start: number, sizeBytes: number): RandomBytes {
  return {
    sizeBytes,
    read(offset, wanted) {
      const length = Math.min(wanted, sizeBytes - offset);
      return offset < 0 || length <= 0 ? Buffer.alloc(0) : bytes.read(start + offset, length);
    },
  };
}
