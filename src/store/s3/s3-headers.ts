// Makes the headers of a write: encryption, storage class, tags, metadata.
import type { StoreSettings } from "../../config/store-settings.ts";
import type { DumpLabels } from "../dump-labels.ts";
import {
  DELIVERY_ID,
  metadataOf,
  TAG_LIMITS,
  tagHeader,
  tagsOf,
  type TagRules,
} from "../label-text.ts";
import type { Dump } from "../store-port.ts";

/** S3 tags take letters, numbers, spaces and + - = . _ : / @. */
const TAG_RULES: TagRules = { ...TAG_LIMITS, refused: /[^A-Za-z0-9 +\-=._:/@]/gu };

/** Returns the options that PutObject and CreateMultipartUpload share. */
export function objectHeaders(settings: StoreSettings, { labels, deliveryId }: Dump) {
  const tagging = taggingOf(labels);
  return {
    ContentType: "application/zip",
    ...(settings.STORE_METADATA
      ? { Metadata: { ...metadataOf(labels), [DELIVERY_ID]: deliveryId } }
      : {}),
    ...(tagging === "" ? {} : { Tagging: tagging }),
    ...encryption(settings),
    // Leaves it to the store to check the class's name: AWS's list grows, and other stores have their own.
    ...(settings.S3_STORAGE_CLASS === ""
      ? {}
      : { StorageClass: settings.S3_STORAGE_CLASS as "STANDARD" }),
  };
}

/** Returns the tags that S3 takes of a dump's, as x-amz-tagging. */
export function taggingOf(labels: DumpLabels): string {
  return tagHeader(tagsOf(labels, TAG_RULES));
}

/** Returns the options by which the store encrypts what is written. */
export function encryption({ S3_SSE, S3_SSE_KMS_KEY_ID }: StoreSettings) {
  if (S3_SSE === "none") return {};
  const keyId = S3_SSE === "aws:kms" && S3_SSE_KMS_KEY_ID !== "";
  return {
    ServerSideEncryption: S3_SSE,
    ...(keyId ? { SSEKMSKeyId: S3_SSE_KMS_KEY_ID } : {}),
  };
}

/**
 * Returns an ETag without its quotes and a proxy's W/, for comparison; "" where there is none (radosgw 16 after a
 * completion).
 */
export function unquoteEtag(etag: string | undefined): string {
  return (etag ?? "").replace(/^(?:W\/)?"|"$/g, "");
}
