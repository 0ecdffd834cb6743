// Makes a valid zip of a killed composer's partial: cuts the core after its last whole block, keeps the whole entries
// after it, writes the directory, and fills in dump-info. It can start again if it is killed itself.
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { writeFully } from "../../host/full-write.ts";
import { CORE_SUFFIX, DUMP_INFO_SUFFIX } from "../../model/dump-entries.ts";
import { parseDumpHead } from "../../model/dump-head.ts";
import { formatDumpInfo, type DumpInfo } from "../../model/dump-info.ts";
import { safeComponent } from "../../model/dump-name.ts";
import { ElfCoreReader } from "../../model/core-extent.ts";
import {
  compressionOfMethod,
  methodOf,
  streamEnd,
  type CoreCompression,
} from "../../model/core-compression.ts";
import { FIRST_ENTRY_MAX_BYTES, FIRST_ENTRY_ROOM_BYTES } from "../../model/partial-layout.ts";
import {
  HEADER_ROOM_BYTES,
  STORED,
  concat,
  formatCentralDirectory,
  formatLocalHeader,
  type ZipEntryRecord,
} from "../../model/zip-records.ts";
import type { SpoolFile } from "../../host/spool-file.ts";
import { appendSpooled } from "./spooled-core.ts";
import { scanDeflatedCore, type ScannedCore } from "./core-scan.ts";
import { sealedInfo } from "./sealed-info.ts";
import { scanStoredCore } from "./stored-scan.ts";
import { scanZstdCore } from "./zstd-scan.ts";
import { scanTail, type TailEntry } from "./tail-scan.ts";
import { parseLocalHeader, type LocalHeader } from "../../model/zip-header.ts";

/** The sealed dump. */
export interface SealedPartial {
  info: DumpInfo;
  /** The dump's name without .zip. */
  base: string;
}

const CORE_DATA_OFFSET = FIRST_ENTRY_ROOM_BYTES + HEADER_ROOM_BYTES;

/** Returns an empty core, for a file whose core's header did not reach the disk. */
function emptyCore(): ScannedCore {
  const elf = new ElfCoreReader();
  return { endOffset: CORE_DATA_OFFSET, sizeBytes: 0, crc: 0, ended: false, elf };
}

/**
 * Seals a partial, with what its spool adds to the core. Returns undefined where the file holds nothing of a dump, because the composer was killed before its
 * first write.
 */
export async function sealPartial(
  file: FileHandle,
  uuid: string,
  spool?: SpoolFile,
): Promise<SealedPartial | undefined> {
  const head = await readHead(file);
  const found = parseDumpHead(head);
  const header = parseLocalHeader(head.subarray(FIRST_ENTRY_ROOM_BYTES));
  const isCore = header?.name.endsWith(CORE_SUFFIX) === true;
  // After a power loss a spool may be all that had reached the disk.
  if (found === undefined && !isCore && spool?.firstSlot() === undefined) return undefined;

  const base = baseOf(found, isCore ? header : undefined, uuid);
  const compression = compressionOfMethod(header?.method);
  const name = header?.name.slice(0, -CORE_SUFFIX.length) ?? "";
  const scanned = isCore ? await scanCore(file, compression, name) : emptyCore();
  const core =
    spool === undefined || compression === "none"
      ? scanned
      : await appendSpooled(file, scanned, spool, compression);
  const dataEnd = core.endOffset + streamEnd(compression, core.sizeBytes).length;
  const tail = core.ended ? await scanTail(file, dataEnd) : [];
  const info = sealedInfo(found ?? {}, core, { uuid, base, composed: tail.length > 0 });
  await writeSealed(file, { info, base, compression, core, tail });
  return { info, base };
}

async function scanCore(
  file: FileHandle,
  compression: CoreCompression,
  name: string,
): Promise<ScannedCore> {
  if (compression === "none") return scanStoredCore(file, CORE_DATA_OFFSET, name);
  if (compression === "zstd") return scanZstdCore(file, CORE_DATA_OFFSET);
  return scanDeflatedCore(file, CORE_DATA_OFFSET);
}

async function readHead(file: FileHandle): Promise<Buffer> {
  const head = Buffer.alloc(CORE_DATA_OFFSET);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  return head.subarray(0, bytesRead);
}

function baseOf(
  found: Partial<DumpInfo> | undefined,
  header: LocalHeader | undefined,
  uuid: string,
): string {
  const name = found?.dump_file ?? header?.name ?? "";
  return (
    safeComponent(name.endsWith(CORE_SUFFIX) ? name.slice(0, -CORE_SUFFIX.length) : "") || uuid
  );
}

interface Sealed {
  info: DumpInfo;
  base: string;
  compression: CoreCompression;
  core: ScannedCore;
  tail: readonly TailEntry[];
}

async function writeSealed(file: FileHandle, { info, base, compression, core, tail }: Sealed) {
  const modified = new Date(Number(info.timestamp) * 1000 || Date.now());
  const end = streamEnd(compression, core.sizeBytes);
  const coreEnd = core.endOffset + end.length;
  const last = tail.at(-1);
  const directoryAt =
    last === undefined ? coreEnd : last.offset + last.roomBytes + last.compressedBytes;
  const infoData = formatDumpInfo(info, FIRST_ENTRY_MAX_BYTES);
  const infoEntry: ZipEntryRecord = {
    name: base + DUMP_INFO_SUFFIX,
    method: STORED,
    crc: crc32(infoData),
    sizeBytes: infoData.length,
    compressedBytes: infoData.length,
    offset: 0,
  };
  const coreEntry: ZipEntryRecord = {
    name: `${base}${CORE_SUFFIX}`,
    method: methodOf(compression),
    crc: core.crc,
    sizeBytes: core.sizeBytes,
    compressedBytes: coreEnd - CORE_DATA_OFFSET,
    offset: FIRST_ENTRY_ROOM_BYTES,
  };
  // Keeps the composer's order: new bytes first, then the bytes that are rewritten in place.
  await file.truncate(directoryAt);
  await writeFully(file, end, core.endOffset);
  const records = [infoEntry, coreEntry, ...tail];
  await writeFully(file, formatCentralDirectory(records, modified, directoryAt), directoryAt);
  for (const entry of tail)
    await writeFully(file, formatLocalHeader(entry, modified, entry.roomBytes), entry.offset);
  await writeFully(
    file,
    formatLocalHeader(coreEntry, modified, HEADER_ROOM_BYTES),
    coreEntry.offset,
  );
  const infoRoom = FIRST_ENTRY_ROOM_BYTES - infoData.length;
  await writeFully(file, concat([formatLocalHeader(infoEntry, modified, infoRoom), infoData]), 0);
  await file.sync();
}
