// What reading an object of a store has in common, whichever store it is.
import { failureOf } from "./store-error.ts";
import type { StoredSource } from "./store-port.ts";

/**
 * Returns an object's first bytes by the adapter's own range request; empty where the object was removed meanwhile, or
 * is empty: a store refuses a range of nothing (416). Throws StoreError for any other failure.
 */
export async function readHeadBy(range: () => Promise<Buffer>): Promise<Buffer> {
  try {
    return await range();
  } catch (error) {
    const failure = failureOf(error);
    if (failure === "not_found" || failure === "refused") return Buffer.alloc(0);
    throw error;
  }
}

/** An object as a source that asks for ranges within its size. `range` reads the bytes [start, end). */
export function openRanges(
  facts: { name: string; sizeBytes: number; version: string },
  range: (start: number, end: number) => Promise<Buffer>,
): StoredSource {
  return {
    ...facts,
    async read(start, end) {
      const last = Math.min(end, facts.sizeBytes);
      return last <= start ? Buffer.alloc(0) : range(start, last);
    },
    close: () => Promise.resolve(),
  };
}
