// Which store the settings mean: one row for each adapter, whose code is loaded when the first dump goes there or
// comes from there (the S3 client takes 18 MB of memory).
import { fileURLToPath } from "node:url";
import type { StoreSettings } from "../config/store-settings.ts";
import type { StoreReader, StoreWriter } from "./store-port.ts";

interface Adapter {
  /** The settings name a store of this kind. */
  isNamed(settings: StoreSettings): boolean;
  /** Both throw AppError "configuration" for settings that do not do. */
  openWriter(settings: StoreSettings): Promise<StoreWriter>;
  openReader(settings: StoreSettings): Promise<StoreReader>;
}

const DIRECTORY: Adapter = {
  isNamed: ({ STORE_URL }) => STORE_URL.startsWith("file:"),
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
  isNamed: ({ S3_BUCKET_NAME }) => S3_BUCKET_NAME !== "",
  async openWriter(settings) {
    const { openS3Writer } = await import("./s3/s3-writer.ts");
    return openS3Writer(settings);
  },
  async openReader(settings) {
    const { openS3Reader } = await import("./s3/s3-reader.ts");
    return openS3Reader(settings);
  },
};

/** The first that is named is meant. */
const ADAPTERS: readonly Adapter[] = [DIRECTORY, S3];

function namedAdapter(settings: StoreSettings): Adapter | undefined {
  return ADAPTERS.find((adapter) => adapter.isNamed(settings));
}

/** Whether the settings name a store at all. */
export function namesStore(settings: StoreSettings): boolean {
  return namedAdapter(settings) !== undefined;
}

/**
 * The store for writing. Throws AppError "configuration" for settings that name none; S3 then says which are missing.
 */
export async function openStoreWriter(settings: StoreSettings): Promise<StoreWriter> {
  return (namedAdapter(settings) ?? S3).openWriter(settings);
}

/** The store for reading. Throws as openStoreWriter(). */
export async function openStoreReader(settings: StoreSettings): Promise<StoreReader> {
  return (namedAdapter(settings) ?? S3).openReader(settings);
}
