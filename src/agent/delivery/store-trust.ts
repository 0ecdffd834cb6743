// What this process has seen of its store, which spares a small dump requests: a look before its write where the store
// was seen to refuse a taken key, and a look after it where the store's answers were seen to tell the truth. For large
// dumps a look costs nothing, so they are always looked at. Nor has a small one a journal then.
import type { Dump } from "../../store/store-port.ts";

/** What one process knows of one store. */
export interface StoreTrust {
  /** The digest in an answer to a write was once found at the object itself. */
  answersProve: boolean;
  /** Whether the store refused to replace an object; undefined before it was asked to. */
  refusesTaken: boolean | undefined;
}

const SMALL_MAX_BYTES = 1024 * 1024;

/** Knows nothing. */
export function newStoreTrust(): StoreTrust {
  return { answersProve: false, refusesTaken: undefined };
}

/** Returns whether a dump is so small that requests are most of its cost. */
export function isSmall({ sizeBytes }: Dump): boolean {
  return sizeBytes <= SMALL_MAX_BYTES;
}

/**
 * Returns whether a later process will recognise this dump's object by its bytes alone: the store's digests of objects
 * are those of their bytes, so that a dump without a journal that is sent again is found there.
 */
export function isKnownByBytes({ answersProve }: StoreTrust, dump: Dump): boolean {
  return answersProve && isSmall(dump);
}
