// Reads local headers in a partial: fflate wrote them without sizes, or the composer has finished them. Source: PKWARE
// APPNOTE.TXT 6.3.10, 4.3.7.
import { LOCAL_FIXED_BYTES, LOCAL_SIGNATURE } from "./zip-records.ts";

/** A local header's fields. */
export interface LocalHeader {
  name: string;
  method: number;
  /** The length of header, name and extra fields in bytes; the data starts behind them. */
  roomBytes: number;
}

/** Parses the header at the start of `bytes`; undefined where there is none, or only a part of it. */
export function parseLocalHeader(bytes: Buffer): LocalHeader | undefined {
  if (bytes.length < LOCAL_FIXED_BYTES || bytes.readUInt32LE(0) !== LOCAL_SIGNATURE)
    return undefined;
  const nameBytes = bytes.readUInt16LE(26);
  const roomBytes = LOCAL_FIXED_BYTES + nameBytes + bytes.readUInt16LE(28);
  if (bytes.length < roomBytes) return undefined;
  return {
    name: bytes.toString("utf8", LOCAL_FIXED_BYTES, LOCAL_FIXED_BYTES + nameBytes),
    method: bytes.readUInt16LE(8),
    roomBytes,
  };
}
