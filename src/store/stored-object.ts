// What looking at an object of a store has in common, whichever store it is: which failures are answers.
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

/** Returns what a failed look at an object tells of it. Throws the failure where it tells nothing. */
export function presenceAfter(error: unknown): "absent" | "unreadable" {
  const failure = failureOf(error);
  if (failure === "not_found") return "absent";
  if (failure === "forbidden") return "unreadable";
  throw error;
}

/** Runs a conditional write of an empty object, and tells whether it was there already. Throws any other failure. */
export async function markBy(write: () => Promise<unknown>): Promise<"made" | "exists"> {
  try {
    await write();
    return "made";
  } catch (error) {
    if (failureOf(error) === "exists") return "exists";
    throw error;
  }
}
