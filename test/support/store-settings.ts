// The settings of a delivery as a test wants them: defaults, a bucket, and what it changes.
import { STORE_SETTINGS, type StoreSettings } from "../../src/config/store-settings.ts";
import { readSettings } from "../../src/config/setting.ts";
import type { Bucket } from "./bucket.ts";

/** Reads variables as the agent would; a wrong one fails the test. */
export function storeSettings(variables: Record<string, string>): StoreSettings {
  const { values, complaints } = readSettings(STORE_SETTINGS, variables);
  if (complaints.length > 0) throw new Error(JSON.stringify(complaints));
  return values;
}

export function bucketSettings(
  bucket: Bucket,
  changes: Record<string, string> = {},
): StoreSettings {
  return storeSettings(bucketVariables(bucket, changes));
}

export function bucketVariables(
  { server, name }: Bucket,
  changes: Record<string, string> = {},
): Record<string, string> {
  return {
    S3_ENDPOINT: server.endpoint,
    S3_REGION: "us-east-1",
    S3_BUCKET_NAME: name,
    S3_ACCESS_KEY: server.accessKey,
    S3_SECRET: server.secret,
    STORE_PART_SIZE: String(5 * 2 ** 20),
    ...changes,
  };
}
