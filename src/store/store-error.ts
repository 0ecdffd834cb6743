// Why a store did not do what was asked, as far as a caller must know: whose fault, worth trying again?
import { AppError, type AppErrorDetails } from "../model/app-error.ts";

export type StoreFailure =
  /** The store does not know us, or our credentials could not be had. */
  | "credentials"
  | "forbidden"
  | "no_bucket"
  | "unreachable"
  /** The share is not mounted, which no retry within seconds cures. */
  | "away"
  | "timeout"
  | "throttled"
  /** 5xx, a broken answer: the store's own trouble. */
  | "server"
  /** Something stands at the key already. */
  | "exists"
  | "not_found"
  /** The multipart upload is not known (any more). */
  | "gone"
  /** The store does not know this feature (NotImplemented). */
  | "unsupported"
  /** The store cannot hold a name like this one (a colon on NTFS); another name may do. */
  | "name_refused"
  /** The file on this node cannot be read. */
  | "unreadable_file"
  /** Any other 4xx. */
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
  "no_bucket",
  "unreachable",
  "away",
  "timeout",
  "throttled",
  "no_space",
  "configuration",
]);

export class StoreError extends AppError {
  readonly failure: StoreFailure;
  /** The store asked for this pause (Retry-After); 0 where it did not. */
  readonly retryAfterMs: number;
  /** Of the answer, where one came. */
  readonly status: number | undefined;
  /** The region that the store named in its answer, where it is not the one that we signed for. */
  readonly region: string | undefined;
  /** The answer had no code that tells why (HEAD's never has one). */
  readonly isWordless: boolean;

  constructor(
    failure: StoreFailure,
    message: string,
    details: AppErrorDetails & {
      retryAfterMs?: number;
      status?: number | undefined;
      region?: string | undefined;
      isWordless?: boolean;
    } = {},
  ) {
    super("store", message, details);
    this.name = "StoreError";
    this.failure = failure;
    this.retryAfterMs = details.retryAfterMs ?? 0;
    this.status = details.status;
    this.region = details.region;
    this.isWordless = details.isWordless ?? false;
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
