// Why a store failed, in the terms that callers branch on: whether the store or the file is at fault, and whether a
// retry helps.
import { AppError, type AppErrorDetails } from "../model/app-error.ts";

/** The kinds of failure. */
export type StoreFailure =
  /** The store refuses the credentials, or there are none. */
  | "credentials"
  | "forbidden"
  /** There is no store at the settings' address, or none of that name. */
  | "no_store"
  | "unreachable"
  /** The share is not mounted; a retry within seconds does not help. */
  | "away"
  | "timeout"
  | "throttled"
  /** The store itself fails, or its answer is broken. */
  | "server"
  /** The key is taken. */
  | "exists"
  | "not_found"
  /** The store does not know the multipart upload, or no longer knows it. */
  | "gone"
  /** The store does not have this feature. */
  | "unsupported"
  /** The store cannot hold such a name (a colon on NTFS); another name may work. */
  | "name_refused"
  /** The dump's file on this node cannot be read. */
  | "unreadable_file"
  /** The store refuses the request for any other reason. */
  | "refused"
  /** The object after the write is not what was sent. */
  | "unverified"
  | "no_space"
  | "configuration"
  | "aborted";

const TRANSIENT: ReadonlySet<StoreFailure> = new Set([
  "unreachable",
  "timeout",
  "throttled",
  "server",
]);

/** Failures of the store, which any other file would meet too. */
const STORE_WIDE: ReadonlySet<StoreFailure> = new Set([
  "credentials",
  "forbidden",
  "no_store",
  "unreachable",
  "away",
  "timeout",
  "throttled",
  "no_space",
  "configuration",
]);

/** Thrown by every store for a request that failed. */
export class StoreError extends AppError {
  readonly failure: StoreFailure;
  /** The wait that the store asked for, in ms; 0 where it asked for none. */
  readonly retryAfterMs: number;

  constructor(
    failure: StoreFailure,
    message: string,
    details: AppErrorDetails & { retryAfterMs?: number } = {},
  ) {
    super("store", message, details);
    this.name = "StoreError";
    this.failure = failure;
    this.retryAfterMs = details.retryAfterMs ?? 0;
  }

  /** True where a retry in a moment may succeed. */
  get transient(): boolean {
    return TRANSIENT.has(this.failure);
  }

  get storeWide(): boolean {
    return STORE_WIDE.has(this.failure);
  }
}

/** Returns a StoreError's failure; undefined for any other error. */
export function failureOf(error: unknown): StoreFailure | undefined {
  return error instanceof StoreError ? error.failure : undefined;
}

/** Makes the error "unverified": the store does not have the bytes that were sent. */
export function otherBytes(what: string): StoreError {
  return new StoreError("unverified", `${what} other bytes than were sent`, {
    hint: "the file is kept and sent again; the store, or something before it, changes bytes",
  });
}
