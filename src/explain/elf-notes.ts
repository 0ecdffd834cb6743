// Reads the notes of an ELF file or core, one after the other (elf(5)): only their heads, and of their data what the
// caller asks for. A core's notes can be megabytes: a thread has 11 KB of them.
import type { RandomBytes } from "../model/random-bytes.ts";

/** One note, whose data is read on demand. */
export interface Note {
  owner: string;
  type: number;
  sizeBytes: number;
  /** Reads the note's data, at most maxBytes of it. */
  data(maxBytes: number): Buffer;
}

const HEAD_BYTES = 12;
const OWNER_MAX_BYTES = 32;

/** Yields notes up to the range's end, the first note that does not fit, or maxNotes. */
export function* readNotes(
  bytes: RandomBytes,
  start: number,
  sizeBytes: number,
  maxNotes: number,
): Generator<Note> {
  const end = Math.min(start + sizeBytes, bytes.sizeBytes);
  let at = start;
  for (let index = 0; index < maxNotes && at + HEAD_BYTES <= end; index++) {
    const head = bytes.read(at, HEAD_BYTES + OWNER_MAX_BYTES);
    if (head.length < HEAD_BYTES) return;
    const [ownerBytes, dataBytes] = [head.readUInt32LE(0), head.readUInt32LE(4)];
    const dataAt = at + HEAD_BYTES + padded(ownerBytes);
    if (dataAt + dataBytes > end) return;
    const owner = head.subarray(HEAD_BYTES, HEAD_BYTES + Math.min(ownerBytes, OWNER_MAX_BYTES));
    yield {
      owner: untilNul(owner, "latin1"),
      type: head.readUInt32LE(8),
      sizeBytes: dataBytes,
      data: (maxBytes) => bytes.read(dataAt, Math.min(dataBytes, maxBytes)),
    };
    at = dataAt + padded(dataBytes);
  }
}

/** Decodes a text up to its first NUL, or to the end where it has none. */
export function untilNul(bytes: Buffer, encoding: "latin1" | "utf8" = "utf8"): string {
  const end = bytes.indexOf(0);
  return bytes.toString(encoding, 0, end === -1 ? bytes.length : end);
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4;
}
