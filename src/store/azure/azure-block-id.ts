// The ids of blocks. Each says which upload it belongs to, its number, and the MD5 of its bytes, which the service has
// checked as they came in: so the list of a blob's blocks proves its bytes, to any later process. All ids of one blob
// must be of one length, at most 64 bytes.

/** What an id says. */
export interface BlockId {
  uploadId: string;
  number: number;
  md5Hex: string;
}

const FORM = /^([0-9a-z]{8}-[0-9a-f]{8})-(\d{5})-([0-9a-f]{32})$/;

/** Makes the id of a new upload, from which its beginning can be read. */
export function makeUploadId(nowMs: number): string {
  const random = crypto.getRandomValues(new Uint8Array(4));
  return `${nowMs.toString(36).padStart(8, "0").slice(-8)}-${Buffer.from(random).toString("hex")}`;
}

/** Returns when an upload began, in ms. */
export function beginningOf(uploadId: string): number {
  return parseInt(uploadId.slice(0, 8), 36);
}

/** Writes an id of 56 bytes. */
export function formatBlockId({ uploadId, number, md5Hex }: BlockId): string {
  return `${uploadId}-${String(number).padStart(5, "0")}-${md5Hex}`;
}

/** Reads an id; undefined for one that another program made. */
export function parseBlockId(id: string): BlockId | undefined {
  const [, uploadId, number, md5Hex] = FORM.exec(id) ?? [];
  if (uploadId === undefined || number === undefined || md5Hex === undefined) return undefined;
  return { uploadId, number: Number(number), md5Hex };
}
