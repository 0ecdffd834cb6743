// Which store the settings mean, for reading. The S3 client is loaded where it is a bucket.
import { fileURLToPath } from "node:url";
import type { StoreSettings } from "../config/store-settings.ts";
import { openDirectory } from "./directory/stored-directory.ts";
import type { StoredDumps } from "./stored-dumps.ts";

/** Throws AppError "configuration" for settings that name no store. */
export async function openStoredDumps(settings: StoreSettings): Promise<StoredDumps> {
  if (settings.STORE_URL !== "") return openDirectory(fileURLToPath(settings.STORE_URL));
  const { openBucket } = await import("./s3/stored-dumps-s3.ts");
  return openBucket(settings);
}
