// Digests of a piece of a file, computed natively and in a fixed buffer: the S3 client gets them as
// headers and never has to hold the bytes.
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { partOf, type PartPlan } from "../model/part-plan.ts";
import type { Dump } from "./store-port.ts";

const BLOCK_BYTES = 256 * 1024;

export interface DigestChoice {
  sha256: boolean;
  crc32: boolean;
}

export interface PartDigest {
  md5: Uint8Array;
  sha256Hex: string | undefined;
  /** Big-endian, as x-amz-checksum-crc32 wants it before base64. */
  crc32: Uint8Array | undefined;
}

/** Digests bytes [start, end) of a file. Throws when the file is shorter, and the signal's reason. */
export async function digestRange(
  path: string,
  start: number,
  end: number,
  choice: DigestChoice,
  signal: AbortSignal,
): Promise<PartDigest> {
  const md5 = new Bun.CryptoHasher("md5");
  const sha256 = choice.sha256 ? new Bun.CryptoHasher("sha256") : undefined;
  let crc = 0;
  const file = await open(path, "r");
  try {
    const block = new Uint8Array(Math.min(BLOCK_BYTES, Math.max(1, end - start)));
    for (let position = start; position < end;) {
      signal.throwIfAborted();
      const wanted = Math.min(block.length, end - position);
      const { bytesRead } = await file.read(block, 0, wanted, position);
      if (bytesRead === 0) throw new Error(`${path} ends at byte ${position}, before ${end}`);
      const bytes = block.subarray(0, bytesRead);
      md5.update(bytes);
      sha256?.update(bytes);
      if (choice.crc32) crc = crc32(bytes, crc);
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
  return {
    md5: md5.digest(),
    sha256Hex: sha256?.digest("hex"),
    crc32: choice.crc32 ? bigEndian(crc) : undefined,
  };
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}

/** The ETag of a multipart object: the MD5 of its parts' MD5s (in hex), and their number. */
export function compositeEtag(partMd5s: readonly string[]): string {
  const md5 = new Bun.CryptoHasher("md5");
  for (const part of partMd5s) md5.update(Buffer.from(part, "hex"));
  return `${md5.digest("hex")}-${partMd5s.length}`;
}

/** The MD5 of one part of a dump, in hex. */
export async function md5OfPart(
  dump: Dump,
  plan: PartPlan,
  number: number,
  signal: AbortSignal,
): Promise<string> {
  const { start, end } = partOf(plan, number);
  const choice = { sha256: false, crc32: false };
  return toHex((await digestRange(dump.path, start, end, choice, signal)).md5);
}

/** The ETag that a dump has where ETags are MD5s and it was sent as planned. Reads all of it. */
export async function localEtag(dump: Dump, plan: PartPlan, signal: AbortSignal): Promise<string> {
  const md5s: string[] = [];
  for (let number = 1; number <= plan.partCount; number++)
    md5s.push(await md5OfPart(dump, plan, number, signal));
  return plan.partCount === 1 ? (md5s[0] ?? "") : compositeEtag(md5s);
}

/** The composite CRC32 of a multipart object: the CRC32 of its parts' CRC32s, and their number. */
export function compositeCrc32(partCrcs: readonly (string | undefined)[]): string | undefined {
  let crc = 0;
  for (const part of partCrcs) {
    if (part === undefined) return undefined;
    crc = crc32(Buffer.from(part, "base64"), crc);
  }
  return `${toBase64(bigEndian(crc))}-${partCrcs.length}`;
}
