// Why a store did not do what was asked, as far as a caller must know: whose fault, worth trying again?
import { AppError, type AppErrorDetails } from "../model/app-error.ts";

export type StoreFailure =
  /** The store does not know us, or our credentials could not be had. */
  | "credentials"
  | "forbidden"
  /** The store is not where the settings say, or nothing of that name is there. */
  | "no_store"
  | "unreachable"
  /** The share is not mounted, which no retry within seconds cures. */
  | "away"
  | "timeout"
  | "throttled"
  /** The store's own trouble: it failed, or its answer is broken. */
  | "server"
  /** Something stands at the key already. */
  | "exists"
  | "not_found"
  /** The multipart upload is not known (any more). */
  | "gone"
  /** The store does not know this feature. */
  | "unsupported"
  /** The store cannot hold a name like this one (a colon on NTFS); another name may do. */
  | "name_refused"
  /** The file on this node cannot be read. */
  | "unreadable_file"
  /** The store refuses this request, for whatever else. */
  | "refused"
  /** What stands there after the write is not what was sent. */
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

/** Failures that any other file would meet as well: the store, not the file. */
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

export class StoreError extends AppError {
  readonly failure: StoreFailure;
  /** The store asked for this pause; 0 where it did not. */
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

  /** Trying again in a moment may well succeed. */
  get transient(): boolean {
    return TRANSIENT.has(this.failure);
  }

  get storeWide(): boolean {
    return STORE_WIDE.has(this.failure);
  }
}

export function failureOf(error: unknown): StoreFailure | undefined {
  return error instanceof StoreError ? error.failure : undefined;
}

/** What stands at the store is not what we sent. */
export function otherBytes(what: string): StoreError {
  return new StoreError("unverified", `${what} other bytes than were sent`, {
    hint: "the file is kept and sent again; the store, or something before it, changes bytes",
  });
}
