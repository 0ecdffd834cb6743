// Reads a core at any offset (src/model/random-bytes.ts), from a core file or from a dump. Reads a stored entry in its
// place in the zip. Unpacks a compressed one once and keeps the parts that explaining needs in a temporary file
// without a name.
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planExcerpt, type CoreRange } from "../explain/core-excerpt.ts";
import { endOfNotes, parseElfCore } from "../explain/elf-core.ts";
import { Malformed } from "../explain/malformed.ts";
import { bytesOfDescriptor, openFileBytes, type FileBytes } from "../host/file-bytes.ts";
import { AppError, describeError } from "../model/app-error.ts";
import { windowOf, type RandomBytes } from "../model/random-bytes.ts";
import type { BoundedEntry } from "../model/zip-bounds.ts";
import { LOCAL_BYTES, parseDataStart } from "../model/zip-directory.ts";
import { STORED } from "../model/zip-records.ts";
import { readEntry, type DumpZip } from "./dump-zip.ts";
import { showProgress } from "./progress.ts";

/** A core's bytes. */
export interface CoreBytes extends FileBytes {
  /** Why bytes are missing; null for a core that could be read to its end. */
  trouble: string | null;
}

/** The program headers are there by then: 65,535 of them are 3.5 MB. */
const HEADERS_MAX_BYTES = 8 << 20;

/** Opens a core file; the caller closes it. Throws where it is no regular file. */
export function openCoreFile(path: string): CoreBytes {
  return { ...openFileBytes(path), trouble: null };
}

/**
 * Opens the core in a dump; the caller closes it. Unpacks at most maxBytes, with 0 only the head. Throws AppError
 * "archive" for a damaged dump.
 */
export async function openZippedCore(
  zip: DumpZip,
  entry: BoundedEntry,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<CoreBytes> {
  return entry.method === STORED
    ? openStoredCore(zip.source.name, entry)
    : unpackCore(zip, entry, maxBytes);
}

function openStoredCore(path: string, entry: BoundedEntry): CoreBytes {
  const file = openFileBytes(path);
  const start = parseDataStart(file.read(entry.offset, LOCAL_BYTES), entry.offset);
  const window = windowOf(file, start, Math.min(entry.sizeBytes, entry.limit - start));
  return { ...window, close: () => file.close(), trouble: null };
}

async function unpackCore(zip: DumpZip, entry: BoundedEntry, maxBytes: number): Promise<CoreBytes> {
  const fd = await openNameless();
  try {
    const excerpt = new Excerpt(fd, maxBytes);
    const trouble = await fill(excerpt, zip, entry);
    return {
      ...bytesOfDescriptor(fd, excerpt.position),
      close: () => closeSync(fd),
      trouble:
        trouble ??
        (excerpt.isCut ? `only its first ${excerpt.position} bytes were looked at` : null),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Unpacks the core and keeps what it got. Returns why it ended before the core's end, or null. */
async function fill(excerpt: Excerpt, zip: DumpZip, entry: BoundedEntry): Promise<string | null> {
  const progress = showProgress(`reading ${entry.name}`, entry.sizeBytes);
  try {
    for await (const chunk of readEntry(zip, entry)) {
      excerpt.add(chunk);
      progress.at(excerpt.position);
      if (excerpt.isComplete) break;
    }
    return null;
  } catch (error) {
    if (!(error instanceof AppError) || excerpt.position === 0) throw error;
    return describeError(error);
  } finally {
    progress.end();
  }
}

/** Keeps everything until the notes are there, and then the parts that the notes name; the rest stays a hole. */
class Excerpt {
  position = 0;
  isComplete = false;
  /** True where maxBytes ended the unpacking before all wanted parts were there. */
  isCut = false;
  private readonly fd: number;
  private readonly maxBytes: number;
  private ranges: CoreRange[] | undefined;
  private next = 0;
  private headEnd = 0;

  constructor(fd: number, maxBytes: number) {
    this.fd = fd;
    this.maxBytes = maxBytes;
  }

  add(chunk: Uint8Array): void {
    if (this.ranges === undefined) this.write(chunk, this.position);
    else this.writeWanted(chunk, this.ranges);
    this.position += chunk.length;
    if (this.ranges === undefined) this.plan();
    const last = this.ranges?.at(-1)?.end ?? Number.POSITIVE_INFINITY;
    // The kernel writes the notes first; gdb last: then all is kept, and a bound leaves nothing to look at.
    const isPast =
      this.position >= Math.max(this.maxBytes, this.ranges === undefined ? 0 : this.headEnd);
    this.isCut = isPast && this.position < last;
    this.isComplete = isPast || this.position >= last;
  }

  private plan(): void {
    const bytes: RandomBytes = bytesOfDescriptor(this.fd, this.position);
    try {
      if (this.position <= HEADERS_MAX_BYTES) this.headEnd = endOfNotes(bytes);
      if (this.position < this.headEnd) return;
      this.ranges = planExcerpt(parseElfCore(bytes));
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      // The core cannot be parsed; its reader will report why.
      this.isComplete = true;
      this.ranges = [];
    }
  }

  private writeWanted(chunk: Uint8Array, ranges: readonly CoreRange[]): void {
    const end = this.position + chunk.length;
    for (let index = this.next; index < ranges.length; index++) {
      const range = ranges[index];
      if (range === undefined || range.start >= end) return;
      // What lies behind is never asked for again: a core has tens of thousands of ranges.
      if (range.end <= end) this.next = index + 1;
      if (range.end <= this.position) continue;
      const from = Math.max(range.start, this.position);
      const to = Math.min(range.end, end);
      this.write(chunk.subarray(from - this.position, to - this.position), from);
    }
  }

  private write(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;)
      done += writeSync(this.fd, bytes, done, bytes.length - done, position + done);
  }
}

/** Makes a file of mode 0600 that vanishes with its descriptor, because it holds a process's memory. */
async function openNameless(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "core-dump-handler-"));
  const path = join(folder, "core");
  const fd = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  await rmdir(folder);
  return fd;
}
