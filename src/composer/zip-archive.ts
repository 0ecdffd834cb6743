// Writes one zip, entry after entry, to a partial. fflate's Zip frames the entries. This file adds what that cannot
// do: it finishes headers in place once sizes and names are known (no data descriptors, ZIP64 where needed), and
// writes the central directory. docs/adr/0001-zip-layout.md gives the reasons.
import { crc32, deflateRawSync } from "node:zlib";
import { Zip, type ZipInputFile } from "fflate/browser";
import {
  DEFLATED,
  FILLER_EXTRA_ID,
  HEADER_ROOM_BYTES,
  LOCAL_FIXED_BYTES,
  STORED,
  concat,
  fillerExtra,
  formatCentralDirectory,
  formatLocalHeader,
  type ZipEntryRecord,
  type ZipMethod,
} from "../model/zip-records.ts";
import { FIRST_ENTRY_ROOM_BYTES } from "../model/partial-layout.ts";
import type { PartialFile } from "./partial-file.ts";

/** What an archive needs from its file. */
export type ArchiveFile = Pick<PartialFile, "append" | "writeAt" | "truncate" | "sizeBytes">;

/** A place up to which an entry's data is certainly good. On a full disk the entry is cut back to it. */
export interface Checkpoint {
  /** The file's length in bytes. */
  fileBytes: number;
  /** Length (in bytes) and CRC-32 of the uncompressed data up to there. */
  sizeBytes: number;
  crc: number;
}

/** One entry with its place. `suffix` is its name without the dump's name, such as ".core". */
interface PlacedEntry extends Omit<ZipEntryRecord, "name"> {
  suffix: string;
  /** The local header's length, filler included. */
  roomBytes: number;
}

/** An entry whose bytes come already compressed; fflate calls it a ZipInputFile. */
class EntryStream implements ZipInputFile {
  readonly filename: string;
  readonly compression: ZipMethod;
  readonly extra: Record<number, Uint8Array>;
  readonly size = 0;
  readonly crc = 0;
  ondata?: NonNullable<ZipInputFile["ondata"]>;

  constructor(name: string, method: ZipMethod, roomBytes: number) {
    this.filename = name;
    this.compression = method;
    const filler = fillerExtra(roomBytes - LOCAL_FIXED_BYTES - Buffer.byteLength(name));
    // fflate itself writes an extra field's id and length (4 bytes).
    this.extra = { [FILLER_EXTRA_ID]: filler.subarray(4) };
  }
}

/** A zip under way. */
export class ZipArchive {
  private readonly file: ArchiveFile;
  private readonly modified: Date;
  private readonly zip: Zip;
  private readonly entries: PlacedEntry[] = [];
  private firstBase = "";
  private stream: EntryStream | undefined;
  private ending = false;
  private queued: Uint8Array[] = [];
  private queuedSize = 0;

  constructor(file: ArchiveFile, modified: Date) {
    this.file = file;
    this.modified = modified;
    this.zip = new Zip((error, chunk) => {
      if (error !== null) throw error;
      // Drops the last chunk of an entry, its data descriptor: the finished header has the same values.
      if (!this.ending) this.queue(chunk);
    });
  }

  /** The number of bytes that are queued and not yet written. */
  get queuedBytes(): number {
    return this.queuedSize;
  }

  /** The offset at which the next byte goes. */
  get endBytes(): number {
    return this.file.sizeBytes + this.queuedSize;
  }

  /** Begins an entry, `base + suffix`; finish may change the base. */
  begin(base: string, suffix: string, method: ZipMethod, roomBytes = HEADER_ROOM_BYTES): void {
    const place = { suffix, method, roomBytes, offset: this.endBytes };
    this.entries.push({ ...place, crc: 0, sizeBytes: 0, compressedBytes: 0 });
    this.stream = new EntryStream(base + suffix, method, roomBytes);
    this.zip.add(this.stream);
    // fflate holds the header back until the first data, and an entry may have none.
    this.push(new Uint8Array(0));
  }

  /** Adds bytes to the entry under way, already compressed where its method is deflate. */
  push(bytes: Uint8Array): void {
    // fflate passes the chunk on unchanged; its type demands more than it needs.
    this.stream?.ondata?.(null, bytes as Uint8Array<ArrayBuffer>, false);
  }

  /** Ends the entry under way; crc and size are those of the uncompressed data. */
  end(crc: number, sizeBytes: number): void {
    this.endStream();
    this.close(crc, sizeBytes);
  }

  /** Adds a whole small entry. On a full disk it removes the entry's bytes and throws the error. */
  async add(base: string, suffix: string, data: Uint8Array, method: ZipMethod): Promise<void> {
    const before = this.endBytes;
    try {
      this.begin(base, suffix, method);
      this.push(method === DEFLATED ? deflateRawSync(data) : data);
      this.end(crc32(data), data.length);
      await this.flush();
    } catch (error) {
      this.dropQueue();
      this.entries.pop();
      await this.file.truncate(before);
      throw error;
    }
  }

  /** Writes the first entry as far as it is known; finish writes it again in the same room. */
  async addFirst(base: string, suffix: string, data: Uint8Array): Promise<void> {
    this.firstBase = base;
    this.begin(base, suffix, STORED, FIRST_ENTRY_ROOM_BYTES - data.length);
    this.push(data);
    this.end(crc32(data), data.length);
    await this.flush();
  }

  /** Writes other data into the first entry, under the name that it has so far. */
  async rewriteFirst(data: Uint8Array): Promise<void> {
    const first = this.firstWith(data);
    await this.file.writeAt(first.offset, concat([this.header(first, this.firstBase), data]));
  }

  /** Returns the first entry with this data's sizes in it. */
  private firstWith(data: Uint8Array): PlacedEntry {
    const [first] = this.entries;
    if (first === undefined) throw new Error("an archive without its first entry");
    first.roomBytes = FIRST_ENTRY_ROOM_BYTES - data.length;
    first.crc = crc32(data);
    first.sizeBytes = data.length;
    first.compressedBytes = data.length;
    return first;
  }

  /**
   * Drops the entries after the one at `index`, cuts that one back to a checkpoint, and ends it with `tail`, the end of
   * its compressed data.
   */
  async cutBack(index: number, { fileBytes, crc, sizeBytes }: Checkpoint, tail: Uint8Array) {
    this.dropQueue();
    this.endStream();
    this.entries.length = index + 1;
    await this.file.truncate(fileBytes);
    await this.file.append([tail]);
    this.close(crc, sizeBytes);
  }

  /**
   * Writes the central directory, then every local header with its final name and sizes, and the first entry's data
   * again. The file is a whole zip then. On a full disk the file stays as it was, and this throws the error.
   */
  async finish(base: string, firstData: Uint8Array): Promise<void> {
    const first = this.firstWith(firstData);
    const others = this.entries.slice(1);
    const before = this.endBytes;
    try {
      const records = this.entries.map((entry) => named(entry, base));
      await this.file.append([formatCentralDirectory(records, this.modified, before)]);
      for (const entry of others) await this.file.writeAt(entry.offset, this.header(entry, base));
      await this.file.writeAt(first.offset, concat([this.header(first, base), firstData]));
    } catch (error) {
      await this.file.truncate(before);
      throw error;
    }
  }

  private header(entry: PlacedEntry, base: string): Uint8Array {
    return formatLocalHeader(named(entry, base), this.modified, entry.roomBytes);
  }

  /** Writes the queued bytes. Where that fails, the queue is lost and this throws the error. */
  async flush(): Promise<void> {
    const parts = this.queued;
    this.dropQueue();
    await this.file.append(parts);
  }

  /** Ends the stream under way, because fflate passes on nothing of the next entry before that. */
  private endStream(): void {
    this.ending = true;
    this.stream?.ondata?.(null, new Uint8Array(0), true);
    this.ending = false;
    this.stream = undefined;
  }

  private dropQueue(): void {
    this.queued = [];
    this.queuedSize = 0;
  }

  private queue(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.queued.push(chunk);
    this.queuedSize += chunk.length;
  }

  private close(crc: number, sizeBytes: number): void {
    const entry = this.entries.at(-1);
    if (entry === undefined) throw new Error("no entry is under way");
    entry.crc = crc;
    entry.sizeBytes = sizeBytes;
    entry.compressedBytes = this.endBytes - entry.offset - entry.roomBytes;
  }
}

function named({ suffix, ...place }: PlacedEntry, base: string): ZipEntryRecord {
  return { ...place, name: base + suffix };
}
