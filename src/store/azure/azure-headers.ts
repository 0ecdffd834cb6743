// The headers of a write: metadata, index tags.
import type { StoreSettings } from "../../config/store-settings.ts";
import {
  DELIVERY_ID,
  metadataOf,
  TAG_LIMITS,
  tagHeader,
  tagsOf,
  type TagRules,
} from "../label-text.ts";
import type { Dump } from "../store-port.ts";

/** Index tags take letters, digits, blanks and + - . / : = _ ("Set Blob Tags"). */
const TAG_RULES: TagRules = { ...TAG_LIMITS, refused: /[^A-Za-z0-9 +\-./:=_]/gu };

/** The header with the delivery id. */
export const DELIVERY_HEADER = `x-ms-meta-${DELIVERY_ID}`;

/** Returns the headers that Put Blob and Put Block List share. Names of metadata are C# identifiers: letters. */
export function blobHeaders(
  settings: StoreSettings,
  { labels, deliveryId }: Dump,
): Record<string, string> {
  const metadata = settings.STORE_METADATA
    ? Object.entries(metadataOf(labels)).filter(([, value]) => value !== "")
    : [];
  const tags = tagHeader(tagsOf(labels, TAG_RULES));
  return {
    "x-ms-blob-content-type": "application/zip",
    ...Object.fromEntries(metadata.map(([name, value]) => [`x-ms-meta-${name}`, value])),
    ...(settings.STORE_METADATA ? { [DELIVERY_HEADER]: deliveryId } : {}),
    ...(tags === "" ? {} : { "x-ms-tags": tags }),
  };
}

/** The condition of a write that must not replace a blob. */
export function unlessThere(replaces: boolean): Record<string, string> {
  return replaces ? {} : { "if-none-match": "*" };
}
