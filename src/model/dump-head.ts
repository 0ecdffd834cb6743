// dump-info at the head of a zip, its first entry: of a dump of ours, finished or not (there it is stored, at a fixed
// place: partial-layout.ts), or of any other zip whose first entry is called so.
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

/** undefined where the first entry is none, is torn or cut short, encrypted, or no JSON. Never throws. */
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
  // The packed size may stand after the data only; deflate knows its own end, and what follows is ignored.
  return inflateRawSync(data, {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: INFO_MAX_BYTES,
  }).toString("utf8");
}

/**
 * Where a stored entry ends whose size stands after it (0) or in a ZIP64 field (2³² - 1): JSON holds no raw
 * control character, so the next signature is never a part of it.
 */
function storedLength(data: Buffer, packedBytes: number): number {
  if (packedBytes !== 0 && packedBytes !== 0xffffffff) return packedBytes;
  const ends = SIGNATURES.map((signature) => data.indexOf(signature)).filter((at) => at >= 0);
  return Math.min(data.length, ...ends);
}
