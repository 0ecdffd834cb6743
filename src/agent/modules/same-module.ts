// Whether an object of the store is a module, byte for byte, where its ETag does not tell (encryption, other parts).
import type { ModuleIdentity } from "../../model/module-id.ts";
import { failureOf } from "../../store/store-error.ts";
import type { StoreReader } from "../../store/store-port.ts";

const BLOCK_BYTES = 8 << 20;

/**
 * Compares the object with the module by its digest: reads all of it, unless its size is another. "unknown" where the
 * store's policy allows no look.
 */
export async function compareModule(
  store: StoreReader,
  key: string,
  module: ModuleIdentity & { sizeBytes: number },
): Promise<"same" | "other" | "unknown"> {
  try {
    return (await holdsModule(store, key, module)) ? "same" : "other";
  } catch (error) {
    if (failureOf(error) === "forbidden") return "unknown";
    throw error;
  }
}

async function holdsModule(
  store: StoreReader,
  key: string,
  { sha256, sizeBytes }: ModuleIdentity & { sizeBytes: number },
): Promise<boolean> {
  const source = await store.open(key);
  try {
    if (source.sizeBytes !== sizeBytes) return false;
    const hash = new Bun.CryptoHasher("sha256");
    for (let at = 0; at < source.sizeBytes; at += BLOCK_BYTES)
      hash.update(await source.read(at, Math.min(at + BLOCK_BYTES, source.sizeBytes)));
    return hash.digest("hex") === sha256;
  } finally {
    await source.close();
  }
}
