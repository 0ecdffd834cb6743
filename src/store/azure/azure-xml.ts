// The few elements of the service's XML answers that are read, and the one document that is sent.

/** A block of a blob. */
export interface Block {
  /** Decoded from base64. */
  id: string;
  sizeBytes: number;
}

/** Reads a block list ("Get Block List") of one kind, in its order. */
export function parseBlocks(xml: string): Block[] {
  return [...xml.matchAll(/<Block>(.*?)<\/Block>/gs)].map(([, block = ""]) => ({
    id: Buffer.from(element(block, "Name"), "base64").toString("latin1"),
    sizeBytes: Number(element(block, "Size")),
  }));
}

/** Writes the body of "Put Block List". */
export function formatBlockList(ids: readonly string[]): string {
  const latest = ids.map((id) => `<Latest>${encodeBlockId(id)}</Latest>`);
  return `<?xml version="1.0" encoding="utf-8"?><BlockList>${latest.join("")}</BlockList>`;
}

/** Encodes a block's id, for addresses and lists. */
export function encodeBlockId(id: string): string {
  return Buffer.from(id, "latin1").toString("base64");
}

/** A blob in a listing. */
export interface ListedBlob {
  key: string;
  sizeBytes: number;
  modifiedMs: number;
}

/** Reads a page of "List Blobs". `next` is "" on the last page. */
export function parseBlobs(xml: string): { blobs: ListedBlob[]; next: string } {
  const blobs = [...xml.matchAll(/<Blob>(.*?)<\/Blob>/gs)].map(([, blob = ""]) => ({
    key: parseName(blob),
    sizeBytes: Number(element(blob, "Content-Length")),
    modifiedMs: Date.parse(element(blob, "Last-Modified")) || 0,
  }));
  return { blobs, next: element(xml, "NextMarker") };
}

/** A name that XML cannot hold is percent-encoded, and says so. */
function parseName(blob: string): string {
  const name = element(blob, "Name");
  return /<Name[^>]*Encoded="true"/i.test(blob) ? decodeURIComponent(name) : name;
}

function element(xml: string, name: string): string {
  const text = new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)</${name}>`).exec(xml)?.[1] ?? "";
  return text.replace(/&(lt|gt|quot|apos|amp|#x?[0-9a-f]+);/gi, unescapeEntity);
}

const NAMED: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function unescapeEntity(whole: string, entity: string): string {
  if (!entity.startsWith("#")) return NAMED[entity.toLowerCase()] ?? whole;
  const code = /^#x/i.test(entity) ? parseInt(entity.slice(2), 16) : Number(entity.slice(1));
  return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}
