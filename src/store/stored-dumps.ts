// The port for reading: lists the dumps in a store and reads one's bytes. object-store.ts is the port for writing.
import type { ByteSource } from "./byte-source.ts";

/** A dump in the store. */
/** A dump in the store. */
export interface StoredDump {
  key: string;
  sizeBytes: number;
  modifiedMs: number;
}

/** A source whose bytes do not change: another object has another version. */
export interface StoredSource extends ByteSource {
  readonly version: string;
}

/** The port itself. */
/** The port itself. */
export interface StoredDumps {
  /** The store's name, for messages. */
  readonly name: string;
  /** Yields every zip whose key begins with the prefix, page by page. */
  list(prefix: string): AsyncGenerator<StoredDump>;
  /** Reads the dump's first bytes; empty where it no longer exists or is too short for a dump. */
  head(key: string, bytes: number): Promise<Buffer>;
  /** Opens a dump; the caller closes it. Throws AppError where it does not exist. */
  open(key: string): Promise<StoredSource>;
  close(): void;
}
