// Opens the store that the settings name, for reading. Loads the S3 client only for a bucket.
import { fileURLToPath } from "node:url";
import type { StoreSettings } from "../config/store-settings.ts";
import { openDirectory } from "./directory/stored-directory.ts";
import type { StoredDumps } from "./stored-dumps.ts";

/** Opens the store. Opens the store. Throws AppError "configuration" for settings that name no store. */
export async function openStoredDumps(settings: StoreSettings): Promise<StoredDumps> {
  if (settings.STORE_URL !== "") return openDirectory(fileURLToPath(settings.STORE_URL));
  const { openBucket } = await import("./s3/stored-dumps-s3.ts");
  return openBucket(settings);
}
