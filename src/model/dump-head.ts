// Reads dump-info, the first entry, from the head of a zip: from a dump of ours, from a partial (which stores it at a
// fixed place, partial-layout.ts), or from any other zip whose first entry has such a name.
import { constants, inflateRawSync } from "node:zlib";
import { isDumpInfoName } from "./dump-entries.ts";
import { asKnownInfo, type KnownInfo } from "./dump-info.ts";
import { parseLocalHeader } from "./zip-header.ts";
import { DEFLATED, STORED } from "./zip-records.ts";

/** As many bytes of a zip as hold header and dump-info of any version of ours, the ancestor's included. */
export const DUMP_HEAD_BYTES = 96 * 1024;
const INFO_MAX_BYTES = 1 << 20;
/** A data descriptor, and the next local header (APPNOTE 4.3.9, 4.3.7). */
const SIGNATURES = ["PK\x07\x08", "PK\x03\x04"];

/**
 * Parses the head; undefined where the first entry is no dump-info, is torn, cut short or encrypted, or holds no JSON.
 * Never throws.
 */
export function parseDumpHead(head: Buffer): KnownInfo | undefined {
  const header = parseLocalHeader(head);
  if (header === undefined || !isDumpInfoName(header.name)) return undefined;
  try {
    const data = head.subarray(header.roomBytes);
    const parsed: unknown = JSON.parse(unpack(data, header.method, head.readUInt32LE(18)));
    return typeof parsed === "object" && parsed !== null ? asKnownInfo(parsed) : undefined;
  } catch {
    return undefined;
  }
}

function unpack(data: Buffer, method: number, packedBytes: number): string {
  if (method === STORED) return data.toString("utf8", 0, storedLength(data, packedBytes));
  if (method !== DEFLATED) throw new Error(`method ${method}`);
  // The packed size may stand only after the data. Deflate marks its own end, and zlib ignores the bytes behind it.
  return inflateRawSync(data, {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: INFO_MAX_BYTES,
  }).toString("utf8");
}

/**
 * Finds the end of a stored entry whose size stands behind it (0) or in a ZIP64 field (2³² - 1). JSON holds no raw
 * control character, so the next signature cannot be a part of it.
 */
function storedLength(data: Buffer, packedBytes: number): number {
  if (packedBytes !== 0 && packedBytes !== 0xffffffff) return packedBytes;
  const ends = SIGNATURES.map((signature) => data.indexOf(signature)).filter((at) => at >= 0);
  return Math.min(data.length, ...ends);
}
