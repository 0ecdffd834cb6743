// The port to a store, in two halves: the agent writes (StoreWriter), a person reads (StoreReader). Each adapter is a
// folder with both; open-store.ts chooses one. Callers decide what is sent, in which order, and when the local file is
// deleted.
import type { Json } from "../model/json.ts";
import type { Part, PartPlan } from "../model/part-plan.ts";
import type { ByteSource } from "./byte-source.ts";
import type { DumpLabels } from "./dump-labels.ts";

/** A finished zip that delivery uploads. The file does not change while delivery holds its lock. */
export interface Dump {
  path: string;
  sizeBytes: number;
  /**
   * A random id, made once for each file and kept in its journal. An object that carries it comes from this file's
   * delivery.
   */
  deliveryId: string;
  labels: DumpLabels;
}

/** What the store has at a key, compared with a dump. */
export type Presence =
  | "absent"
  | "same"
  /** Another object, which this delivery did not write. */
  | "different"
  /** This delivery wrote it, but its bytes are not those that were sent. */
  | "damaged"
  /** The store allows this agent to write and not to look. */
  | "unreadable";

/**
 * What an adapter remembers about a write, in a form that only the same adapter reads. The journal keeps it for a later
 * process, which may be of another version or use another store. An adapter ignores a proof that it does not recognise
 * as its own.
 */
export type Proof = Json;

/** What the store answered to a finished write. */
export interface Receipt {
  proof: Proof;
  /** True where only the proof identifies the object, so that the proof must outlive this process. */
  isNeededLater: boolean;
  /**
   * True where the answer itself shows that the store has the right bytes, which is enough in a store that refuses to
   * let the agent look.
   */
  isSufficient: boolean;
}

/** The result of a trial write, which leaves nothing behind. */
export interface StoreProbe {
  /** The store's name, for messages. */
  name: string;
  /** The error that stopped the write; undefined where it succeeded. */
  failure: unknown;
  /** How far this node's clock is ahead of the store's, in ms; undefined where the store sent no time. */
  aheadMs: number | undefined;
}

/** The writing half. Every method throws StoreError; a caller may call it again after that. */
export interface StoreWriter {
  /** The store's name for log lines and messages; never holds a secret. */
  readonly name: string;
  /** The names of the rights that examine() needs, for messages. */
  readonly rightsToLook: string;
  /** Compares the object at `key` with the dump, using the proof of this delivery's write where there is one. */
  examine(
    key: string,
    dump: Dump,
    proof: Proof | undefined,
    signal: AbortSignal,
  ): Promise<Presence>;
  /**
   * Writes the whole dump at once. Throws "exists" where the store noticed that the key is taken, unless `replaces` is
   * set, because a damaged object of this delivery is there.
   */
  put(key: string, dump: Dump, replaces: boolean, signal: AbortSignal): Promise<Receipt>;
  /** Set where put() answers with a digest that the store computed of the bytes it took. */
  readonly answersDigest?: true;
  /** Whether put() now asks the store to refuse a taken key. A store may ignore that. */
  readonly isConditional?: boolean;
  /** Undefined in a store that takes dumps of every size through put(). */
  readonly multipart: MultipartWriter | undefined;
  /** Makes an empty object. "exists" comes from a store that noticed that the key is taken. */
  mark(key: string, signal: AbortSignal): Promise<"made" | "exists">;
  /** Tests whether the store is reachable and writable. Never throws StoreError. */
  probe(signal: AbortSignal): Promise<StoreProbe>;
  close(): void;
}

/** An unfinished multipart upload. */
export interface Upload {
  key: string;
  uploadId: string;
}

/** A part that the store has. */
export interface StoredPart {
  number: number;
  sizeBytes: number;
  /** What complete() needs to know about the part. */
  proof: Proof;
}

/** Uploads in parts. A method throws "gone" for an upload that the store does not know, or no longer knows. */
export interface MultipartWriter {
  /** Plans the parts. A plan of one part means that the caller uses put(). */
  plan(sizeBytes: number): PartPlan;
  /** How many parts the caller uploads at once. */
  readonly concurrency: number;
  create(key: string, dump: Dump, signal: AbortSignal): Promise<Upload>;
  uploadPart(upload: Upload, dump: Dump, part: Part, signal: AbortSignal): Promise<StoredPart>;
  listParts(upload: Upload, signal: AbortSignal): Promise<StoredPart[]>;
  /**
   * Makes the object out of its parts, which are by number and come from this process or from listParts(). `replaces`
   * as in put().
   */
  complete(
    upload: Upload,
    dump: Dump,
    parts: readonly StoredPart[],
    replaces: boolean,
    signal: AbortSignal,
  ): Promise<Receipt>;
  /** Frees the parts. It is no error where the store no longer knows the upload. */
  abort(upload: Upload, signal: AbortSignal): Promise<void>;
  /** Lists the unfinished uploads to exactly this key, with the store's time of their beginning. */
  listUploads(key: string, signal: AbortSignal): Promise<(Upload & { initiatedMs: number })[]>;
}

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

/** The reading half. */
export interface StoreReader {
  /** The store's name, for messages. */
  readonly name: string;
  /**
   * Yields every zip whose key begins with the prefix, page by page. May leave out keys that begin with `except`, which
   * no dump has.
   */
  list(prefix: string, except?: string): AsyncGenerator<StoredDump>;
  /** Yields all keys that begin with the prefix and come after `after` in the order of their bytes, page by page. */
  names(prefix: string, after?: string): AsyncGenerator<readonly string[]>;
  /** Reads the dump's first bytes; empty where it no longer exists or is too short for a dump. */
  head(key: string, bytes: number): Promise<Buffer>;
  /** Reads the dump's last bytes; only where that takes no request, as in a folder. */
  tail?(key: string, bytes: number): Promise<Buffer>;
  /** Opens a dump; the caller closes it. Throws AppError where it does not exist. */
  open(key: string): Promise<StoredSource>;
  close(): void;
}
