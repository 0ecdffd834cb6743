// Bytes that a copy of a file has in the place of the original's.

export interface FilePatch {
  offset: number;
  bytes: Uint8Array;
}

/** Puts into `block`, which holds the file from `position` on, what the patches say of that part. */
export function applyPatches(
  block: Uint8Array,
  position: number,
  patches: readonly FilePatch[],
): void {
  for (const { offset, bytes } of patches) {
    const start = Math.max(offset, position);
    const end = Math.min(offset + bytes.length, position + block.length);
    if (start < end) block.set(bytes.subarray(start - offset, end - offset), start - position);
  }
}
