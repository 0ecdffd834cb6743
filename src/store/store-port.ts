// The port to wherever dumps go, in two halves: the agent writes (StoreWriter), a person reads (StoreReader). Each
// adapter is a folder with both; open-store.ts chooses. What is sent, in which order, and when the local file may go
// is the caller's business.
import type { Json } from "../model/json.ts";
import type { Part, PartPlan } from "../model/part-plan.ts";
import type { ByteSource } from "./byte-source.ts";
import type { DumpLabels } from "./dump-labels.ts";

/** A finished zip on its way. It does not change while its lock is held. */
export interface Dump {
  path: string;
  sizeBytes: number;
  /** Random, made once a file and kept in its journal: an object that carries it is ours. */
  deliveryId: string;
  labels: DumpLabels;
}

/** What stands at a key, compared with a dump. */
export type Presence =
  | "absent"
  | "same"
  /** Someone else's. */
  | "different"
  /** A write of ours, and not the bytes that we sent. */
  | "damaged"
  /** The store lets us write, and not look. */
  | "unreadable";

/**
 * What an adapter remembers of a write, in a form of its own. Only the adapter that made it reads it; the journal keeps
 * it for a later process, which may belong to another version or use another store: what an adapter does not know for
 * its own proves nothing.
 */
export type Proof = Json;

/** What the store answered to a finished write. */
export interface Receipt {
  proof: Proof;
  /** Nothing else tells the object from another's: the proof has to outlive this process. */
  isNeededLater: boolean;
  /** The answer itself shows that the store has our bytes: enough where it does not let us look. */
  isSufficient: boolean;
}

/** What a try at writing, which leaves nothing behind, told about a store. */
export interface StoreProbe {
  /** The store's name, for messages. */
  name: string;
  /** Why it cannot be written to; undefined where it can. */
  failure: unknown;
  /** How far our clock is before the store's, in ms; undefined where it told no time. */
  aheadMs: number | undefined;
}

/** Every method throws StoreError. A method may be called again after it failed. */
export interface StoreWriter {
  /** For log lines and messages; never holds a secret. */
  readonly name: string;
  /** The rights that examine() needs, for messages. */
  readonly rightsToLook: string;
  /** Compares what stands at `key` with the dump, by the proof of our write where there is one. */
  examine(
    key: string,
    dump: Dump,
    proof: Proof | undefined,
    signal: AbortSignal,
  ): Promise<Presence>;
  /**
   * Writes the whole dump at once. Throws "exists" where the store noticed that the key is taken, unless it
   * `replaces` a damaged object of ours.
   */
  put(key: string, dump: Dump, replaces: boolean, signal: AbortSignal): Promise<Receipt>;
  /** Undefined where every size goes by put(). */
  readonly multipart: MultipartWriter | undefined;
  /** Is it there, and may we write to it? Never throws StoreError. */
  probe(signal: AbortSignal): Promise<StoreProbe>;
  close(): void;
}

export interface Upload {
  key: string;
  uploadId: string;
}

export interface StoredPart {
  number: number;
  sizeBytes: number;
  /** What complete() needs to know of it. */
  proof: Proof;
}

/** Uploads in parts. "gone" is thrown for an upload that the store does not know (any more). */
export interface MultipartWriter {
  /** One part: put() is to be used. */
  plan(sizeBytes: number): PartPlan;
  /** Parts on their way at once. */
  readonly concurrency: number;
  create(key: string, dump: Dump, signal: AbortSignal): Promise<Upload>;
  uploadPart(upload: Upload, dump: Dump, part: Part, signal: AbortSignal): Promise<StoredPart>;
  listParts(upload: Upload, signal: AbortSignal): Promise<StoredPart[]>;
  /** `parts` by their numbers, from this process or from listParts(). `replaces` as in put(). */
  complete(
    upload: Upload,
    dump: Dump,
    parts: readonly StoredPart[],
    replaces: boolean,
    signal: AbortSignal,
  ): Promise<Receipt>;
  /** Frees the parts. An upload that is gone already is no error. */
  abort(upload: Upload, signal: AbortSignal): Promise<void>;
  /** Unfinished uploads to exactly this key, and when the store says they began. */
  listUploads(key: string, signal: AbortSignal): Promise<(Upload & { initiatedMs: number })[]>;
}

export interface StoredDump {
  key: string;
  sizeBytes: number;
  modifiedMs: number;
}

/** A source whose bytes stay the same: version changes when the object does. */
export interface StoredSource extends ByteSource {
  readonly version: string;
}

export interface StoreReader {
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
