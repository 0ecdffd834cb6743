// Bytes that replace a file's own in a copy of it.

/** Bytes to put at an offset of the copy. */
export interface FilePatch {
  offset: number;
  bytes: Uint8Array;
}

/** Applies the patches to `block`, which holds the file's bytes from `position` on. Changes `block`. */
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
