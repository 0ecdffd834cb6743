// Uploads in blocks: Put Block, Get Block List, Put Block List. The service knows no upload, only a blob's blocks that
// nobody has committed yet; their ids say whose they are. It drops them after a week by itself.
import { partOf, planParts, type PartLimits } from "../../model/part-plan.ts";
import type { MultipartWriter, StoredPart, Upload } from "../store-port.ts";
import { digestRange, toBase64, toHex } from "../range-digest.ts";
import { openPiece } from "../file-body.ts";
import { failureOf, StoreError } from "../store-error.ts";
import { beginningOf, formatBlockId, makeUploadId, parseBlockId } from "./azure-block-id.ts";
import { digestPieces } from "./azure-digest.ts";
import { blobHeaders, unlessThere } from "./azure-headers.ts";
import { parsePart, receiptOf, type AzurePart } from "./azure-proof.ts";
import type { AzureSession } from "./azure-session.ts";
import { encodeBlockId, formatBlockList, parseBlocks, type Block } from "./azure-xml.ts";

const MIB = 2 ** 20;
/** "Scalability and performance targets for Blob storage": blocks of 4,000 MiB, 50,000 of them. */
export const AZURE_PART_LIMITS: PartLimits = {
  partMinBytes: MIB,
  partMaxBytes: 4000 * MIB,
  partsMax: 50_000,
  partsWished: 1_000,
};
const MD5_ONLY = { sha256: false, crc32: false };
/** Put Block List may take a minute for each of thousands of blocks, by its documentation. */
const COMMIT_PATIENCE = 5;

/** Opens the requests. */
export function openAzureBlocks(session: AzureSession): MultipartWriter {
  const { settings } = session;
  const plan = (sizeBytes: number) =>
    planParts(sizeBytes, AZURE_PART_LIMITS, settings.STORE_PART_SIZE);

  /** Lists our uncommitted blocks of a blob; none where there is no such blob. */
  async function uncommitted(key: string, signal: AbortSignal) {
    const blocks = await listBlocks(session, key, "uncommitted", signal);
    return blocks.flatMap(({ id, sizeBytes }) => {
      const parsed = parseBlockId(id);
      return parsed === undefined ? [] : [{ ...parsed, sizeBytes }];
    });
  }

  return {
    plan,
    concurrency: settings.STORE_CONCURRENCY,

    async create(key): Promise<Upload> {
      return { key, uploadId: makeUploadId(Date.now()) };
    },

    async uploadPart({ key, uploadId }, dump, { number, start, end }, signal) {
      const { md5 } = await digestRange(dump.path, start, end, MD5_ONLY, signal);
      const md5Hex = toHex(md5);
      const id = formatBlockId({ uploadId, number, md5Hex });
      await session.run(`upload part ${number} of ${key}`, signal, () => ({
        method: "PUT",
        key,
        query: { comp: "block", blockid: encodeBlockId(id) },
        headers: { "content-md5": toBase64(md5) },
        body: openPiece(dump.path, start, end, session.isPlain),
        bodyBytes: end - start,
      }));
      return { number, sizeBytes: end - start, proof: { uploadId, md5: md5Hex } };
    },

    async listParts({ key, uploadId }, signal) {
      const parts = new Map<number, StoredPart>();
      for (const block of await uncommitted(key, signal)) {
        const proof: AzurePart = { uploadId, md5: block.md5Hex };
        const { number, sizeBytes } = block;
        if (block.uploadId === uploadId) parts.set(number, { number, sizeBytes, proof });
      }
      if (parts.size === 0)
        throw new StoreError("gone", `the store has no blocks of this upload of ${key}`);
      return [...parts.values()];
    },

    async complete({ key }, dump, stored, replaces, signal) {
      const cut = plan(dump.sizeBytes);
      const sizes = stored.map(({ number }) => {
        const { start, end } = partOf(cut, number);
        return end - start;
      });
      // Reads the file again: so that what was sent days ago is compared, and for the MD5 of the whole.
      const digest = await digestPieces(dump.path, sizes, signal);
      const ids = stored.map(({ number, proof }, index) => {
        const { uploadId, md5 } = parsePart(proof);
        if (md5 !== digest.pieces[index])
          throw new StoreError(
            "unverified",
            `part ${number} of ${key} has other bytes at the store`,
          );
        return formatBlockId({ uploadId, number, md5Hex: md5 });
      });
      const body = formatBlockList(ids);
      await session.run(`complete ${key}`, signal, () => ({
        method: "PUT",
        key,
        query: { comp: "blocklist" },
        headers: {
          ...blobHeaders(settings, dump),
          ...unlessThere(replaces),
          "x-ms-blob-content-md5": digest.md5,
          "content-type": "application/xml",
        },
        body,
        bodyBytes: Buffer.byteLength(body),
        patience: COMMIT_PATIENCE,
      }));
      return receiptOf(digest, true);
    },

    // The service has no request for it; what is not committed goes after a week.
    abort: async () => {},

    async listUploads(key, signal) {
      const ids = new Set((await uncommitted(key, signal)).map(({ uploadId }) => uploadId));
      return [...ids].map((uploadId) => ({ key, uploadId, initiatedMs: beginningOf(uploadId) }));
    },
  };
}

/** Lists a blob's blocks; none where there is no such blob. Throws StoreError. */
export async function listBlocks(
  session: AzureSession,
  key: string,
  kind: "committed" | "uncommitted",
  signal: AbortSignal,
): Promise<Block[]> {
  try {
    const { body } = await session.run(`list the blocks of ${key}`, signal, () => ({
      method: "GET",
      key,
      query: { comp: "blocklist", blocklisttype: kind },
    }));
    return parseBlocks(body.toString());
  } catch (error) {
    if (failureOf(error) === "not_found") return [];
    throw error;
  }
}
