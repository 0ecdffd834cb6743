// The port to wherever dumps go. Its adapters: s3-store.ts and directory-store.ts. What is sent, in which
// order, and when the local file may go is upload.ts's and delivery.ts's business.
import type { Part, PartPlan } from "../model/part-plan.ts";
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
  /** The store would not say (S3 answers 403 to a HEAD without s3:GetObject or s3:ListBucket). */
  | "unreadable";

/** What a finished write tells about the object that must stand there now. */
export interface Evidence {
  /** The ETag that our bytes have where the store's ETags are MD5s; null where they are known not to be. */
  etag: string | null;
  /** x-amz-checksum-crc32 of the whole, where CRC32 is on. */
  crc32: string | null;
  /**
   * The ETag in the store's answer to the write, whatever it means: another one there is another object. "" where it
   * had none (radosgw 16 after a completion).
   */
  answerEtag: string;
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
export interface ObjectStore {
  /** For log lines and messages; never holds a secret. */
  readonly name: string;
  /** Compares what stands at `key` with the dump, by what the write told if that is known. */
  examine(
    key: string,
    dump: Dump,
    known: Evidence | undefined,
    signal: AbortSignal,
  ): Promise<Presence>;
  /**
   * Writes the whole dump at once. Throws "exists" where the store noticed that the key is taken, unless it
   * `replaces` a damaged object of ours.
   */
  put(key: string, dump: Dump, replaces: boolean, signal: AbortSignal): Promise<Evidence>;
  /** Undefined where every size goes by put(). */
  readonly multipart: MultipartStore | undefined;
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
  etag: string;
  crc32: string | undefined;
  /** The MD5 of what we sent, in hex; undefined where an earlier process sent it. */
  md5: string | undefined;
}

/** Uploads in parts. "gone" is thrown for an upload that the store does not know (any more). */
export interface MultipartStore {
  /** One part: put() is to be used. */
  plan(sizeBytes: number): PartPlan;
  /** Parts on their way at once. */
  readonly concurrency: number;
  create(key: string, dump: Dump, signal: AbortSignal): Promise<Upload>;
  uploadPart(upload: Upload, dump: Dump, part: Part, signal: AbortSignal): Promise<StoredPart>;
  listParts(upload: Upload, signal: AbortSignal): Promise<StoredPart[]>;
  /** `replaces` as in put(). */
  complete(
    upload: Upload,
    dump: Dump,
    parts: readonly StoredPart[],
    replaces: boolean,
    signal: AbortSignal,
  ): Promise<Evidence>;
  /** Frees the parts. An upload that is gone already is no error. */
  abort(upload: Upload, signal: AbortSignal): Promise<void>;
  /** Unfinished uploads to exactly this key, and when the store says they began. */
  listUploads(key: string, signal: AbortSignal): Promise<(Upload & { initiatedMs: number })[]>;
}
