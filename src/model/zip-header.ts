// Local headers as they stand in a partial file: written by fflate (sizes unknown) or finished by the composer.
// Source: PKWARE APPNOTE.TXT 6.3.10, 4.3.7.
import { LOCAL_FIXED_BYTES, LOCAL_SIGNATURE } from "./zip-records.ts";

export interface LocalHeader {
  name: string;
  method: number;
  /** Header, name and extra fields: where the data starts, counted from the header's start. In bytes. */
  roomBytes: number;
}

/** The header at the start of `bytes`; undefined where there is none, or not all of it. */
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
