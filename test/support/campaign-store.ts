// The store of a campaign: a directory, or a bucket on the real S3 server.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { makeBucket } from "./bucket.ts";
import { bucketVariables } from "./store-settings.ts";

export interface CampaignStore {
  /** What the agent is told. */
  variables: Record<string, string>;
  keys(): Promise<string[]>;
  /** A delivered zip as a file of this machine. */
  fetch(key: string): Promise<string>;
}

export async function openCampaignStore(
  kind: "directory" | "s3",
  folder: string,
): Promise<CampaignStore> {
  const store = join(folder, "store");
  await mkdir(store, { recursive: true });
  if (kind === "directory")
    return {
      variables: { STORE_URL: `file://${store}` },
      keys: async () => (await readdir(store)).filter((name) => name.endsWith(".zip")),
      fetch: (key) => Promise.resolve(join(store, key)),
    };
  const bucket = await makeBucket();
  return {
    variables: bucketVariables(bucket),
    keys: () => bucket.keys(),
    fetch: async (key) => {
      const path = join(store, key);
      await bucket.fetch(key, path);
      return path;
    },
  };
}
