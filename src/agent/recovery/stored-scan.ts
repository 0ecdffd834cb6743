// Finds the end of a core that was stored without compression and so has no marks: the next record of the zip, or the
// end of the file. The core's own program headers show whether that is all of it.
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { ElfCoreReader } from "../../model/core-extent.ts";
import { HEADER_ROOM_BYTES } from "../../model/zip-records.ts";
import type { ScannedCore } from "./core-scan.ts";
import { FileWindow } from "./file-window.ts";
import { parseLocalHeader } from "../../model/zip-header.ts";

const STEP_BYTES = 256 * 1024;
const LOCAL_START = Buffer.from("PK\x03\x04", "latin1");
const CENTRAL_START = Buffer.from("PK\x01\x02", "latin1");
const CENTRAL_FIXED_BYTES = 46;

/**
 * Scans a stored core whose data starts at `offset`. `base` is the dump's name; an entry or directory record with that
 * name ends the core. The name holds a random uuid by default, so no core can hold it by chance.
 */
export async function scanStoredCore(
  file: FileHandle,
  offset: number,
  base: string,
): Promise<ScannedCore> {
  const window = new FileWindow(file, offset);
  const elf = new ElfCoreReader();
  let [sizeBytes, crc] = [0, 0];
  for (;;) {
    // Reads a header's length more than the step, so that a header that begins within the step is whole.
    const { bytes } = await window.peek(STEP_BYTES + HEADER_ROOM_BYTES);
    const recordAt = findRecord(bytes, base);
    const ended = recordAt !== undefined && recordAt < STEP_BYTES;
    const data = bytes.subarray(0, ended ? recordAt : STEP_BYTES);
    elf.push(data);
    sizeBytes += data.length;
    crc = crc32(data, crc);
    window.advance(data.length);
    if (ended || data.length === 0) return { endOffset: window.offset, sizeBytes, crc, ended, elf };
    await Bun.sleep(0);
  }
}

function findRecord(bytes: Buffer, base: string): number | undefined {
  for (let at = bytes.indexOf("PK"); at >= 0; at = bytes.indexOf("PK", at + 1)) {
    const record = bytes.subarray(at);
    const name =
      record.indexOf(LOCAL_START) === 0 ? parseLocalHeader(record)?.name : centralName(record);
    if (name?.startsWith(base) === true) return at;
  }
  return undefined;
}

function centralName(record: Buffer): string | undefined {
  if (!record.subarray(0, CENTRAL_START.length).equals(CENTRAL_START)) return undefined;
  if (record.length < CENTRAL_FIXED_BYTES) return undefined;
  return record.toString(
    "utf8",
    CENTRAL_FIXED_BYTES,
    CENTRAL_FIXED_BYTES + record.readUInt16LE(28),
  );
}
