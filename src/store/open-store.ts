// Opens the store that the settings name, from a table with a row for each adapter. Loads the adapter's code only
// then, because the S3 client takes 18 MB of memory.
import { fileURLToPath } from "node:url";
import type { StoreSettings } from "../config/store-settings.ts";
import { parseStoreUrl } from "../model/store-url.ts";
import { prefixedReader, prefixedWriter } from "./prefixed-store.ts";
import type { StoreReader, StoreWriter } from "./store-port.ts";

interface Adapter {
  /** Returns whether the settings name a store of this kind. */
  isNamed(settings: StoreSettings): boolean;
  /** Opens the store; both functions throw AppError "configuration" for wrong settings. */
  openWriter(settings: StoreSettings): Promise<StoreWriter>;
  openReader(settings: StoreSettings): Promise<StoreReader>;
}

const DIRECTORY: Adapter = {
  isNamed: ({ STORE_URL }) => parseStoreUrl(STORE_URL)?.kind === "directory",
  async openWriter({ STORE_URL, STORE_TIMEOUT }) {
    const { openDirectoryWriter } = await import("./directory/directory-writer.ts");
    return openDirectoryWriter(STORE_URL, STORE_TIMEOUT * 1000);
  },
  async openReader({ STORE_URL }) {
    const { openDirectoryReader } = await import("./directory/directory-reader.ts");
    return openDirectoryReader(fileURLToPath(STORE_URL));
  },
};

const S3: Adapter = {
  isNamed: (settings) => bucketOf(settings).bucket !== "",
  async openWriter(settings) {
    const { openS3Writer } = await import("./s3/s3-writer.ts");
    const { bucket, prefix } = bucketOf(settings);
    const writer = openS3Writer({
      ...settings,
      S3_BUCKET_NAME: bucket,
      STORE_KEY_TEMPLATE: prefix + settings.STORE_KEY_TEMPLATE,
    });
    return prefixedWriter(writer, prefix);
  },
  async openReader(settings) {
    const { openS3Reader } = await import("./s3/s3-reader.ts");
    const { bucket, prefix } = bucketOf(settings);
    return prefixedReader(openS3Reader({ ...settings, S3_BUCKET_NAME: bucket }), prefix);
  },
};

function bucketOf({ STORE_URL, S3_BUCKET_NAME }: StoreSettings): {
  bucket: string;
  prefix: string;
} {
  const address = parseStoreUrl(STORE_URL);
  return address?.kind === "s3" ? address : { bucket: S3_BUCKET_NAME, prefix: "" };
}

/** The adapters by their folders; the first one that the settings name is used. */
const ADAPTERS = { directory: DIRECTORY, s3: S3 } as const satisfies Record<string, Adapter>;

/** The folder of an adapter. */
export type AdapterName = keyof typeof ADAPTERS;

/** Every adapter. */
export const ADAPTER_NAMES = Object.keys(ADAPTERS) as AdapterName[];

function namedAdapter(settings: StoreSettings): Adapter | undefined {
  return Object.values(ADAPTERS).find((adapter) => adapter.isNamed(settings));
}

/** Returns whether the settings name any store. */
export function namesStore(settings: StoreSettings): boolean {
  return namedAdapter(settings) !== undefined;
}

/**
 * Opens the store for writing. Throws AppError "configuration" for settings that name none; the S3 adapter then lists
 * the missing ones.
 */
export async function openStoreWriter(settings: StoreSettings): Promise<StoreWriter> {
  return (namedAdapter(settings) ?? S3).openWriter(settings);
}

/** Opens the store for reading. Throws as openStoreWriter() does. */
export async function openStoreReader(settings: StoreSettings): Promise<StoreReader> {
  return (namedAdapter(settings) ?? S3).openReader(settings);
}
