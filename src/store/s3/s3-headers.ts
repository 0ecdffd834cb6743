// What an object is stored with beside its bytes: encryption, storage class, tags, metadata.
import type { StoreSettings } from "../../config/store-settings.ts";
import type { Dump } from "../store-port.ts";

/**
 * x-amz-meta-…: tells an object that an interrupted delivery of ours left from anyone else's. Letters only, as every
 * such name: Azure's stores behind a gateway take no hyphen (s3proxy 466), and nginx drops underscores.
 */
export const DELIVERY_ID = "cdhdelivery";

/** The options that PutObject and CreateMultipartUpload share. */
export function objectHeaders(settings: StoreSettings, dump: Dump) {
  // %20 for a blank: radosgw takes the + of URLSearchParams for a plus sign.
  const tags = Object.entries(dump.labels.tags)
    .map((pair) => pair.map(encodeURIComponent).join("="))
    .join("&");
  return {
    ContentType: "application/zip",
    ...(settings.S3_METADATA
      ? { Metadata: { ...dump.labels.metadata, [DELIVERY_ID]: dump.deliveryId } }
      : {}),
    ...(tags === "" ? {} : { Tagging: tags }),
    ...encryption(settings),
    // The list of classes grows, and other stores have their own: the store judges the name.
    ...(settings.S3_STORAGE_CLASS === ""
      ? {}
      : { StorageClass: settings.S3_STORAGE_CLASS as "STANDARD" }),
  };
}

function encryption({ S3_SSE, S3_SSE_KMS_KEY_ID }: StoreSettings) {
  if (S3_SSE === "none") return {};
  const keyId = S3_SSE === "aws:kms" && S3_SSE_KMS_KEY_ID !== "";
  return {
    ServerSideEncryption: S3_SSE,
    ...(keyId ? { SSEKMSKeyId: S3_SSE_KMS_KEY_ID } : {}),
  };
}

/**
 * An ETag as it is compared: without its quotes (and a proxy's W/); "" where there is none (radosgw 16 after complete).
 */
export function unquoteEtag(etag: string | undefined): string {
  return (etag ?? "").replace(/^(?:W\/)?"|"$/g, "");
}
