// A StoreError with the details that only S3's answers have.
import type { AppErrorDetails } from "../../model/app-error.ts";
import { StoreError, type StoreFailure } from "../store-error.ts";

/** Thrown for a request that an S3 store refused or did not answer. */
export class S3Error extends StoreError {
  /** The answer's HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  /** The region in the store's answer, where the request was signed for another one. */
  readonly region: string | undefined;
  /** True where the answer has no error code (the answer to a HEAD never has one). */
  readonly isWordless: boolean;

  constructor(
    failure: StoreFailure,
    message: string,
    details: AppErrorDetails & {
      retryAfterMs: number;
      status: number | undefined;
      region: string | undefined;
      isWordless: boolean;
    },
  ) {
    super(failure, message, details);
    this.name = "S3Error";
    this.status = details.status;
    this.region = details.region;
    this.isWordless = details.isWordless;
  }
}
