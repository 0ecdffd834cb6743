// Computes the ETags and checksums that S3 gives an object and its parts.
import { crc32 } from "node:zlib";
import { partOf, type PartPlan } from "../../model/part-plan.ts";
import { bigEndian, digestRange, toBase64, toHex } from "../range-digest.ts";
import type { Dump } from "../store-port.ts";

/** Returns the ETag that S3 gives a multipart object: the MD5 of its parts' MD5s (here in hex), and their number. */
export function compositeEtag(partMd5s: readonly string[]): string {
  const md5 = new Bun.CryptoHasher("md5");
  for (const part of partMd5s) md5.update(Buffer.from(part, "hex"));
  return `${md5.digest("hex")}-${partMd5s.length}`;
}

/** Returns the MD5 of one part of a dump, in hex. */
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

/**
 * Returns the ETag that a dump has in a store whose ETags are MD5s, when it was sent as planned. Reads the whole file.
 */
export async function localEtag(dump: Dump, plan: PartPlan, signal: AbortSignal): Promise<string> {
  const md5s: string[] = [];
  for (let number = 1; number <= plan.partCount; number++)
    md5s.push(await md5OfPart(dump, plan, number, signal));
  return plan.partCount === 1 ? (md5s[0] ?? "") : compositeEtag(md5s);
}

/**
 * Returns the composite CRC32 of a multipart object: the CRC32 of its parts' CRC32s, and their number; undefined where
 * a part has none.
 */
export function compositeCrc32(partCrcs: readonly (string | undefined)[]): string | undefined {
  let crc = 0;
  for (const part of partCrcs) {
    if (part === undefined) return undefined;
    crc = crc32(Buffer.from(part, "base64"), crc);
  }
  return `${toBase64(bigEndian(crc))}-${partCrcs.length}`;
}
