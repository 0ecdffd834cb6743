// A finished dump, opened for reading: its entries, its dump-info, the bytes of one entry, checked.
import { Readable } from "node:stream";
import { constants, crc32, createInflateRaw, createZstdDecompress } from "node:zlib";
import { AppError } from "../model/app-error.ts";
import {
  LOCAL_BYTES,
  TAIL_BYTES,
  ZIP64_END_BYTES,
  parseCentralDirectory,
  parseDataStart,
  parseZip64End,
  parseZipTail,
} from "../model/zip-directory.ts";
import { boundEntries, type BoundedEntry } from "../model/zip-bounds.ts";
import { DEFLATED, STORED, ZSTANDARD } from "../model/zip-records.ts";
import type { ByteSource } from "../store/byte-source.ts";

const READ_BYTES = 1024 * 1024;
/** How many entries' names a message lists. */
const NAMES_SHOWN_MAX = 40;
/** 8 MiB, the most that zstd uses up to its level 19. */
const ZSTD_WINDOW_LOG_MAX = 23;
const SMALL_ENTRY_MAX_BYTES = 16 * 1024 * 1024;

/** An open dump. */
export interface DumpZip {
  source: ByteSource;
  /** The entries in the directory's order: dump-info first, then the core. */
  entries: BoundedEntry[];
}

/** Opens a dump. Throws AppError "archive" that names the source and what is wrong with it. */
export async function openDumpZip(source: ByteSource): Promise<DumpZip> {
  try {
    return { source, entries: await readEntries(source) };
  } catch (cause) {
    throw new AppError("archive", `${source.name} cannot be read`, { cause });
  }
}

async function readEntries(source: ByteSource): Promise<BoundedEntry[]> {
  const { sizeBytes } = source;
  const tail = await source.read(Math.max(0, sizeBytes - TAIL_BYTES), sizeBytes);
  const found = parseZipTail(tail, sizeBytes);
  const place =
    "directory" in found
      ? found.directory
      : parseZip64End(
          await source.read(found.zip64EndAt, found.zip64EndAt + ZIP64_END_BYTES),
          sizeBytes,
        );
  const directory = await source.read(place.offset, place.offset + place.sizeBytes);
  return boundEntries(parseCentralDirectory(directory, sizeBytes), place.offset);
}

/**
 * Yields the entry's uncompressed bytes. Throws AppError "archive" at the end where length or CRC-32 differ from the
 * directory's, and as soon as there are more bytes than that.
 */
export async function* readEntry(
  { source }: DumpZip,
  entry: BoundedEntry,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  let crc = 0;
  for await (const chunk of unpacked(source, entry)) {
    sizeBytes += chunk.length;
    crc = crc32(chunk, crc);
    if (sizeBytes > entry.sizeBytes) break;
    yield chunk;
  }
  if (sizeBytes !== entry.sizeBytes || crc !== entry.crc)
    throw new AppError("archive", `${entry.name} in ${source.name} is damaged`, {
      hint: "its length or checksum is not what the zip says",
    });
}

async function* unpacked(source: ByteSource, entry: BoundedEntry): AsyncGenerator<Uint8Array> {
  if (![STORED, DEFLATED, ZSTANDARD].includes(entry.method))
    throw new AppError("archive", `${entry.name} is packed by method ${entry.method}`, {
      hint: "unzip or 7z may know it",
    });
  const raw = packed(source, entry);
  if (entry.method === STORED) {
    yield* raw;
    return;
  }
  const inflate = entry.method === DEFLATED ? openInflate() : openZstd();
  const input = Readable.from(raw);
  input.on("error", (error) => inflate.destroy(error));
  try {
    for await (const chunk of input.pipe(inflate)) yield chunk as Uint8Array;
  } catch (cause) {
    throw new AppError("archive", `${entry.name} in ${source.name} is damaged`, { cause });
  }
}

function openInflate() {
  return createInflateRaw({ chunkSize: READ_BYTES / 4 });
}

/** A frame with a larger window than the composer's would take that much memory. */
function openZstd() {
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
  return createZstdDecompress({ chunkSize: READ_BYTES / 4, params });
}

async function* packed(source: ByteSource, entry: BoundedEntry): AsyncGenerator<Uint8Array> {
  const header = await source.read(entry.offset, entry.offset + LOCAL_BYTES);
  const start = parseDataStart(header, entry.offset);
  const end = start + entry.packedBytes;
  if (end > entry.limit)
    throw new AppError("archive", `${entry.name} in ${source.name} overlaps what follows it`);
  for (let at = start; at < end;) {
    const chunk = await source.read(at, Math.min(end, at + READ_BYTES));
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
  }
}

/** Reads a whole small entry, such as dump-info or a log. Throws AppError "archive" where it is damaged. */
export async function readSmallEntry(zip: DumpZip, entry: BoundedEntry): Promise<Buffer> {
  if (entry.sizeBytes > SMALL_ENTRY_MAX_BYTES)
    throw new AppError("archive", `${entry.name} has ${entry.sizeBytes} bytes: too long to show`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of readEntry(zip, entry)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Returns the entry with the core. Throws AppError "archive" where it is empty, as that of a known bug. */
export function findCore(zip: DumpZip): BoundedEntry {
  const core = findEntry(zip, "core");
  if (core.sizeBytes > 0) return core;
  throw new AppError("archive", `${zip.source.name} holds nothing of the core`, {
    hint: "`info` tells why; `list --by bug --json` names another dump of the same bug, where there is one",
  });
}

/**
 * Finds the one entry with the name `wanted` or that ending (`core`, `dump-info.json`, `0.log`). Throws AppError
 * "usage" that lists the entries.
 */
export function findEntry({ entries, source }: DumpZip, wanted: string): BoundedEntry {
  const exact = entries.filter(({ name }) => name === wanted);
  const ending = entries.filter(
    ({ name }) => name.endsWith(`.${wanted}`) || name.endsWith(`-${wanted}`),
  );
  const [found, ...others] = exact.length > 0 ? exact : ending;
  if (found !== undefined && others.length === 0) return found;
  const problem = found === undefined ? "no entry" : "more than one entry";
  const names = entries.slice(0, NAMES_SHOWN_MAX).map(({ name }) => name);
  const more = entries.length > names.length ? ` and ${entries.length - names.length} more` : "";
  throw new AppError("usage", `${source.name} has ${problem} ${JSON.stringify(wanted)}`, {
    hint: `there are ${names.join(", ")}${more}`,
  });
}
