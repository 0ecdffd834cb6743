// The writing half for a container of Azure Blob Storage. This file writes whole blobs; azure-blocks.ts writes blocks,
// azure-proof.ts proves that a dump arrived, azure-session.ts signs and explains. Callers do the retries.
import type { StoreSettings } from "../../config/store-settings.ts";
import { openPiece } from "../file-body.ts";
import { fixedFolderOf } from "../key-path.ts";
import { failureOf } from "../store-error.ts";
import type { Dump, Presence, Proof, Receipt, StoreProbe, StoreWriter } from "../store-port.ts";
import { markBy, presenceAfter } from "../stored-object.ts";
import { listBlocks, openAzureBlocks } from "./azure-blocks.ts";
import { formatBlockId, makeUploadId } from "./azure-block-id.ts";
import { digestPieces } from "./azure-digest.ts";
import { blobHeaders, DELIVERY_HEADER, unlessThere } from "./azure-headers.ts";
import { compareBlob, receiptOf } from "./azure-proof.ts";
import { AzureSession } from "./azure-session.ts";
import { formatBlockList } from "./azure-xml.ts";

/** Opens the store. Throws AppError "configuration" for settings that contradict each other. */
export function openAzureWriter(settings: StoreSettings): StoreWriter {
  const session = new AzureSession(settings);
  const multipart = openAzureBlocks(session);
  const { name } = session;

  async function examine(
    key: string,
    dump: Dump,
    proof: Proof | undefined,
    signal: AbortSignal,
  ): Promise<Presence> {
    try {
      const { headers } = await session.run(`look at ${key}`, signal, () => ({
        method: "HEAD",
        key,
      }));
      const sizeBytes = Number(headers.get("content-length") ?? -1);
      const found = {
        sizeBytes,
        md5: headers.get("content-md5") ?? undefined,
        deliveryId: headers.get(DELIVERY_HEADER) ?? undefined,
        blocks:
          sizeBytes === dump.sizeBytes ? await listBlocks(session, key, "committed", signal) : [],
      };
      return await compareBlob(found, dump, proof, signal);
    } catch (error) {
      return presenceAfter(error);
    }
  }

  async function put(
    key: string,
    dump: Dump,
    replaces: boolean,
    signal: AbortSignal,
  ): Promise<Receipt> {
    const digest = await digestPieces(dump.path, [dump.sizeBytes], signal);
    const { headers } = await session.run(`upload ${key}`, signal, () => ({
      method: "PUT",
      key,
      headers: {
        ...blobHeaders(settings, dump),
        ...unlessThere(replaces),
        "x-ms-blob-type": "BlockBlob",
        "content-md5": digest.md5,
      },
      body: openPiece(dump.path, 0, dump.sizeBytes, session.isPlain),
      bodyBytes: dump.sizeBytes,
    }));
    // The service has checked Content-MD5, and answers with the MD5 that it computed.
    const isSufficient = (headers.get("content-md5") ?? digest.md5) === digest.md5;
    return { ...receiptOf(digest, false), isSufficient };
  }

  async function mark(key: string, signal: AbortSignal): Promise<"made" | "exists"> {
    return markBy(() =>
      session.run(`write ${key}`, signal, () => ({
        method: "PUT",
        key,
        headers: { ...unlessThere(false), "x-ms-blob-type": "BlockBlob" },
        body: "",
        bodyBytes: 0,
      })),
    );
  }

  /**
   * Commits a block that is not there: the service looks at the sender's rights and at the container before it refuses
   * that, and nothing stays.
   */
  async function probe(signal: AbortSignal): Promise<StoreProbe> {
    const ended = (failure: unknown) => ({ name, failure, aheadMs: session.aheadMs });
    const uploadId = makeUploadId(Date.now());
    const body = formatBlockList([formatBlockId({ uploadId, number: 1, md5Hex: "0".repeat(32) })]);
    try {
      await session.run("try a write", signal, () => ({
        method: "PUT",
        key: `${fixedFolderOf(settings.STORE_KEY_TEMPLATE)}.cdh-doctor-${uploadId}`,
        query: { comp: "blocklist" },
        headers: { "content-type": "application/xml" },
        body,
        bodyBytes: Buffer.byteLength(body),
      }));
      return ended(undefined);
    } catch (error) {
      return ended(failureOf(error) === "gone" ? undefined : error);
    }
  }

  return {
    name,
    rightsToLook: "rights to read blobs (Storage Blob Data Contributor has them)",
    answersDigest: true,
    isConditional: true,
    multipart,
    examine,
    put,
    mark,
    probe,
    close: () => {},
  };
}
