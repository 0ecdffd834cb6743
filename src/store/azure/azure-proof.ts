// Decides whether the blob at a key is the dump, byte for byte. A blob that was put at once has the MD5 that the
// service computed. The MD5 of one made of blocks is only what its writer says, so there the blocks' ids decide.
import * as v from "valibot";
import type { Dump, Presence, Proof, Receipt } from "../store-port.ts";
import { parseBlockId } from "./azure-block-id.ts";
import { digestOfDigests, digestPieces, type DumpDigest } from "./azure-digest.ts";
import type { Block } from "./azure-xml.ts";

const writeSchema = v.object({
  /** The MD5 of the whole in base64. */
  md5: v.string(),
  /** The digest of the pieces' MD5s, for a blob made of blocks. */
  blocks: v.nullable(v.string()),
});
type AzureWrite = v.InferOutput<typeof writeSchema>;

const partSchema = v.object({ uploadId: v.string(), md5: v.string() });
/** What is known about a block: its upload, and its MD5 in hex. */
export type AzurePart = v.InferOutput<typeof partSchema>;

/** Parses the proof of a part. Throws for any other value, because the parts of one store never go to another. */
export function parsePart(proof: Proof): AzurePart {
  return v.parse(partSchema, proof);
}

/** Makes the receipt of a finished write, whose bytes the service has checked as they came in. */
export function receiptOf({ md5, pieces }: DumpDigest, isInBlocks: boolean): Receipt {
  const proof: AzureWrite = { md5, blocks: isInBlocks ? digestOfDigests(pieces) : null };
  return { proof, isNeededLater: false, isSufficient: true };
}

/** A blob as the service shows it. */
export interface FoundBlob {
  sizeBytes: number;
  /** In base64; undefined where it has none. */
  md5: string | undefined;
  deliveryId: string | undefined;
  /** The committed blocks; none for a blob that was put at once. */
  blocks: readonly Block[];
}

/** Compares a blob with the dump. Reads the dump only where no proof of this delivery's write is at hand. */
export async function compareBlob(
  found: FoundBlob,
  dump: Dump,
  proof: Proof | undefined,
  signal: AbortSignal,
): Promise<Presence> {
  const other = found.deliveryId === dump.deliveryId ? "damaged" : "different";
  if (found.sizeBytes !== dump.sizeBytes) return other;
  const theirs = md5sOf(found.blocks);
  // Without either the blob shows nothing of its bytes.
  if (found.md5 === undefined && theirs === undefined) return other;
  const ours = parseWrite(proof) ?? (await digestAs(found, dump, signal));
  if (found.md5 !== undefined && found.md5 !== ours.md5) return other;
  if (theirs === undefined || ours.blocks === null) return "same";
  return digestOfDigests(theirs) === ours.blocks ? "same" : other;
}

/** Digests the dump in pieces as the blob has them. */
async function digestAs(
  { blocks }: FoundBlob,
  dump: Dump,
  signal: AbortSignal,
): Promise<AzureWrite> {
  const isCut = sum(blocks.map(({ sizeBytes }) => sizeBytes)) === dump.sizeBytes;
  const sizes = isCut ? blocks.map(({ sizeBytes }) => sizeBytes) : [dump.sizeBytes];
  const { md5, pieces } = await digestPieces(dump.path, sizes, signal);
  return { md5, blocks: isCut ? digestOfDigests(pieces) : null };
}

function parseWrite(proof: Proof | undefined): AzureWrite | undefined {
  const parsed = v.safeParse(writeSchema, proof);
  return parsed.success ? parsed.output : undefined;
}

/** Returns the MD5s that the blocks' ids have; undefined where another program named them, or there are none. */
function md5sOf(blocks: readonly Block[]): string[] | undefined {
  if (blocks.length === 0) return undefined;
  const md5s = blocks.flatMap(({ id }) => parseBlockId(id)?.md5Hex ?? []);
  return md5s.length === blocks.length ? md5s : undefined;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
