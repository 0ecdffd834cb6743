// Checks, before any entry is unpacked, whether a zip's directory can be true: entries lie side by side, and no entry
// claims more bytes than its packed ones can give. This rejects zip bombs, whose entries share their bytes
// (bamsoftware.com/hacks/zipbomb).
import { AppError } from "./app-error.ts";
import { CORE_SUFFIX } from "./dump-entries.ts";
import { formatBytes } from "./byte-text.ts";
import { LOCAL_BYTES, type ZipEntry } from "./zip-directory.ts";
import { DEFLATED, STORED, ZSTANDARD } from "./zip-records.ts";

/** An entry with the end of its data. */
export interface BoundedEntry extends ZipEntry {
  /** The offset at which the next entry or the directory begins; header and data end at or before it. */
  limit: number;
}

/** A pod of 1,000 containers with INCLUDE_PROC_INFO has 7,000. */
const ENTRIES_MAX = 65_535;
/** Deflate gives at most 258 bytes for two bits. */
const DEFLATE_RATIO_MAX = 1032;
/** A block of 4 bytes repeats one byte 128 KiB times (RFC 8878, section 3.1.1.2). */
const ZSTD_RATIO_MAX = 32_768;
/** A core may be all of a machine's memory, most of it zeros: no file on ext4 is longer than this. */
const CORE_MAX_BYTES = 2 ** 44;
/** The longest of the other entries: logs, descriptions, /proc files. */
const OTHERS_MAX_BYTES = 2 ** 30;

/**
 * Returns the entries in the directory's order. Throws AppError "archive" that names the entry whose claim cannot be
 * true.
 */
export function boundEntries(
  entries: readonly ZipEntry[],
  directoryOffset: number,
): BoundedEntry[] {
  if (entries.length > ENTRIES_MAX)
    throw impossible(
      `its directory names ${entries.length} entries; a dump has ${ENTRIES_MAX} at most`,
    );
  const limits = planLimits(entries, directoryOffset);
  for (const entry of entries) checkSize(entry);
  checkTotal(entries);
  return entries.map((entry) => ({ ...entry, limit: limits.get(entry) ?? 0 }));
}

function planLimits(entries: readonly ZipEntry[], directoryOffset: number): Map<ZipEntry, number> {
  const limits = new Map<ZipEntry, number>();
  const byPlace = entries.toSorted((a, b) => a.offset - b.offset);
  for (const [index, entry] of byPlace.entries()) {
    const next = byPlace[index + 1];
    const limit = next?.offset ?? directoryOffset;
    if (entry.offset + LOCAL_BYTES + entry.packedBytes > limit)
      throw impossible(`${entry.name} overlaps ${next?.name ?? "the directory"}`);
    limits.set(entry, limit);
  }
  return limits;
}

function checkSize({ name, method, sizeBytes, packedBytes }: ZipEntry): void {
  const most = {
    [STORED]: packedBytes,
    [DEFLATED]: packedBytes * DEFLATE_RATIO_MAX,
    [ZSTANDARD]: packedBytes * ZSTD_RATIO_MAX,
  }[method];
  const isShort = method === STORED && sizeBytes < packedBytes;
  if (isShort || (most !== undefined && sizeBytes > most))
    throw impossible(`${name} cannot have ${sizeBytes} bytes in ${packedBytes}`);
}

function checkTotal(entries: readonly ZipEntry[]): void {
  const core = entries.find(({ name }) => name.endsWith(CORE_SUFFIX));
  const others = entries.filter((entry) => entry !== core);
  const othersBytes = others.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for (const [what, bytes, most] of [
    ["its core", core?.sizeBytes ?? 0, CORE_MAX_BYTES],
    ["what is beside its core", othersBytes, OTHERS_MAX_BYTES],
  ] as const)
    if (bytes > most)
      throw impossible(
        `${what} would unpack to ${formatBytes(bytes)}; ${formatBytes(most)} is the most`,
      );
}

function impossible(problem: string): AppError {
  return new AppError("archive", problem, {
    hint: "it is damaged, or made to harm who unpacks it",
  });
}
