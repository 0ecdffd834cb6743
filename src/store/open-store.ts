// Which store the settings mean. The S3 client (18 MB of memory) is loaded when the first dump goes there.
import type { StoreSettings } from "../config/store-settings.ts";
import type { ObjectStore } from "./object-store.ts";

/** Throws AppError "configuration" for settings that name no store. */
export async function openStore(settings: StoreSettings): Promise<ObjectStore> {
  if (settings.STORE_URL !== "") {
    const { openDirectoryStore } = await import("./directory/directory-store.ts");
    return openDirectoryStore(settings.STORE_URL, settings.S3_TIMEOUT * 1000);
  }
  const { openS3Store } = await import("./s3/s3-store.ts");
  return openS3Store(settings);
}
