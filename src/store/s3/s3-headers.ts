// Makes the headers of a write: encryption, storage class, tags, metadata.
import type { StoreSettings } from "../../config/store-settings.ts";
import type { DumpLabels } from "../dump-labels.ts";
import type { Dump } from "../store-port.ts";

/**
 * The x-amz-meta- name of the delivery id, which shows whether an object comes from an interrupted delivery of this
 * file. Such names have only letters: Azure's stores behind a gateway take no hyphen (s3proxy 466), and nginx drops
 * underscores.
 */
export const DELIVERY_ID = "cdhdelivery";

/** S3 counts at most 2 KB for all metadata. */
const METADATA_MAX_CHARACTERS = 200;
/** Ten tags an object, 128 and 256 characters. */
const TAGS_MAX = 10;
const TAG_KEY_MAX = 128;
const TAG_VALUE_MAX = 256;

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

/** Values of short printable ASCII, as a header holds them. */
export function metadataOf({ facts }: DumpLabels): Record<string, string> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, headerText(value)]),
  );
}

/** Printable ASCII on one line, without blanks at the ends (they would break the signature). */
function headerText(text: string): string {
  return text
    .replace(/[^\x21-\x7e ]/gu, "_")
    .slice(0, METADATA_MAX_CHARACTERS)
    .trim();
}

/** The tags that S3 takes of a dump's, as x-amz-tagging. */
export function taggingOf({ tags }: DumpLabels): string {
  const taken = Object.entries(tags).map(([key, value]): [string, string] => [
    tagText(key).slice(0, TAG_KEY_MAX),
    tagText(value).slice(0, TAG_VALUE_MAX),
  ]);
  // Writes a blank as %20, because radosgw reads the + of URLSearchParams as a plus sign.
  return Object.entries(Object.fromEntries(taken.slice(0, TAGS_MAX)))
    .map((pair) => pair.map(encodeURIComponent).join("="))
    .join("&");
}

/** S3 tags take letters, numbers, spaces and + - = . _ : / @. */
function tagText(text: string): string {
  return text.replace(/[^A-Za-z0-9 +\-=._:/@]/gu, "_");
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
 * Returns an ETag without its quotes and a proxy's W/, for comparison; "" where there is none (radosgw 16 after a
 * completion).
 */
export function unquoteEtag(etag: string | undefined): string {
  return (etag ?? "").replace(/^(?:W\/)?"|"$/g, "");
}
