// A StoreError with what only S3's answers tell.
import type { AppErrorDetails } from "../../model/app-error.ts";
import { StoreError, type StoreFailure } from "../store-error.ts";

export class S3Error extends StoreError {
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
