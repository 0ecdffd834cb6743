// Finds the whole entries after a core that its composer had ended: pod-info, logs …
import type { FileHandle } from "node:fs/promises";
import { crc32, inflateRawSync } from "node:zlib";
import { DEFLATED, type ZipEntryRecord } from "../../model/zip-records.ts";
import { parseLocalHeader } from "../../model/zip-header.ts";

/** A whole entry. */
export interface TailEntry extends ZipEntryRecord {
  roomBytes: number;
}

/**
 * The longest entry. Longer ones (a log of a million lines) would take too much memory; they and all that follow are
 * left out.
 */
const ENTRY_MAX_BYTES = 16 << 20;

/** Returns the whole deflated entries from `offset` on. A stored entry does not mark its end. */
export async function scanTail(file: FileHandle, offset: number): Promise<TailEntry[]> {
  const entries: TailEntry[] = [];
  for (let at = offset; ;) {
    const entry = await readEntry(file, at);
    if (entry === undefined) return entries;
    entries.push(entry);
    at += entry.roomBytes + entry.compressedBytes;
  }
}

async function readEntry(file: FileHandle, offset: number): Promise<TailEntry | undefined> {
  const bytes = await readAt(file, offset, ENTRY_MAX_BYTES);
  const header = parseLocalHeader(bytes);
  if (header === undefined) return undefined;
  const data = bytes.subarray(header.roomBytes);
  const unpacked =
    header.method === DEFLATED ? inflateEntry(data) : storedEntry(data, bytes.readUInt32LE(18));
  if (unpacked === undefined) return undefined;
  return {
    name: header.name,
    method: header.method === DEFLATED ? DEFLATED : 0,
    roomBytes: header.roomBytes,
    offset,
    crc: crc32(unpacked.data),
    sizeBytes: unpacked.data.length,
    compressedBytes: unpacked.compressedBytes,
  };
}

interface Unpacked {
  data: Buffer;
  compressedBytes: number;
}

function inflateEntry(bytes: Buffer): Unpacked | undefined {
  try {
    // With `info` the result has the number of input bytes that belong to the stream (node:zlib).
    const result: unknown = inflateRawSync(bytes, { info: true, maxOutputLength: ENTRY_MAX_BYTES });
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
    return { data: buffer, compressedBytes: engine.bytesWritten };
  } catch {
    return undefined; // the entry is cut
  }
}

/** Returns a stored entry; only a finished header has its length. */
function storedEntry(bytes: Buffer, sizeBytes: number): Unpacked | undefined {
  if (sizeBytes === 0 || bytes.length < sizeBytes) return undefined;
  return { data: bytes.subarray(0, sizeBytes), compressedBytes: sizeBytes };
}

async function readAt(file: FileHandle, offset: number, maxBytes: number): Promise<Buffer> {
  const { size } = await file.stat();
  const bytes = Buffer.alloc(Math.max(0, Math.min(maxBytes, size - offset)));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
  return bytes.subarray(0, bytesRead);
}
