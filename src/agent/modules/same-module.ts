// Whether an object of the store is a module, byte for byte, where its ETag does not tell (encryption, other parts).
import type { ModuleIdentity } from "../../model/module-id.ts";
import type { StoreReader } from "../../store/store-port.ts";

const BLOCK_BYTES = 8 << 20;

/** Compares the object with the module by its digest: reads all of it, unless its size is another. */
export async function holdsSameModule(
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
