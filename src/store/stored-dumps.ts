// The port to the dumps in a store, for reading: what there is, and the bytes of one. Writing is the agent's, by
// object-store.ts.
import type { ByteSource } from "./byte-source.ts";

export interface StoredDump {
  key: string;
  sizeBytes: number;
  modifiedMs: number;
}

/** A source whose bytes stay the same: version changes when the object does. */
export interface StoredSource extends ByteSource {
  readonly version: string;
}

export interface StoredDumps {
  /** For messages. */
  readonly name: string;
  /** Every zip whose key begins with the prefix, page by page. */
  list(prefix: string): AsyncGenerator<StoredDump>;
  /** The dump's first bytes; empty where it is gone meanwhile, or is too short to be one. */
  head(key: string, bytes: number): Promise<Buffer>;
  /** Throws AppError where there is none. */
  open(key: string): Promise<StoredSource>;
  close(): void;
}
