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

const AZURE: Adapter = {
  isNamed: ({ STORE_URL }) => parseStoreUrl(STORE_URL)?.kind === "azure",
  async openWriter(settings) {
    const { openAzureWriter } = await import("./azure/azure-writer.ts");
    return below(settings, openAzureWriter, prefixedWriter);
  },
  async openReader(settings) {
    const { openAzureReader } = await import("./azure/azure-reader.ts");
    return below(settings, openAzureReader, prefixedReader);
  },
};

const GOOGLE: Adapter = {
  isNamed: ({ STORE_URL }) => parseStoreUrl(STORE_URL)?.kind === "google",
  async openWriter(settings) {
    const { openGoogleWriter } = await import("./google/google-writer.ts");
    return below(settings, openGoogleWriter, prefixedWriter);
  },
  async openReader(settings) {
    const { openGoogleReader } = await import("./google/google-reader.ts");
    return below(settings, openGoogleReader, prefixedReader);
  },
};

/** Opens a store below the prefix of STORE_URL. */
function below<S>(
  settings: StoreSettings,
  open: (settings: StoreSettings) => S,
  prefixed: (store: S, prefix: string) => S,
): S {
  const address = parseStoreUrl(settings.STORE_URL);
  const prefix = address === undefined || address.kind === "directory" ? "" : address.prefix;
  const STORE_KEY_TEMPLATE = prefix + settings.STORE_KEY_TEMPLATE;
  return prefixed(open({ ...settings, STORE_KEY_TEMPLATE }), prefix);
}

const S3: Adapter = {
  isNamed: (settings) => withBucket(settings).S3_BUCKET_NAME !== "",
  async openWriter(settings) {
    const { openS3Writer } = await import("./s3/s3-writer.ts");
    return below(withBucket(settings), openS3Writer, prefixedWriter);
  },
  async openReader(settings) {
    const { openS3Reader } = await import("./s3/s3-reader.ts");
    return below(withBucket(settings), openS3Reader, prefixedReader);
  },
};

function withBucket(settings: StoreSettings): StoreSettings {
  const address = parseStoreUrl(settings.STORE_URL);
  return address?.kind === "s3" ? { ...settings, S3_BUCKET_NAME: address.bucket } : settings;
}

/** The adapters by their folders; the first one that the settings name is used. */
const ADAPTERS = {
  directory: DIRECTORY,
  azure: AZURE,
  google: GOOGLE,
  s3: S3,
} as const satisfies Record<string, Adapter>;

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
