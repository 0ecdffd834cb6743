// Turns the S3 client's errors into a StoreError with one clear sentence. The network's codes are Bun's own
// (`ConnectionRefused`) and OpenSSL's; those of S3 are in s3-error-codes.ts.
import { errnoOf } from "../../model/app-error.ts";
import { isRegionName, regionOfHost } from "../../model/s3-address.ts";
import { BY_CODE, byStatus, OPTIONAL_SETTINGS, type S3Context } from "./s3-error-codes.ts";
import { S3Error } from "./s3-error.ts";
import { explainNetworkError } from "../network-error.ts";
import { parseRetryAfter } from "../retry-after.ts";
import { StoreError } from "../store-error.ts";

const UNREACHABLE_HINT = "check S3_ENDPOINT or S3_REGION, name resolution and network policies";

/** Turns what the S3 client threw into a StoreError, which has the original as its cause. */
export function explainS3Error(error: unknown, where: S3Context): StoreError {
  if (error instanceof StoreError) return error;
  const { name, status, headers, message, region: named } = factsOf(error);
  const region = named === where.signedFor ? undefined : named;
  const context = { ...where, region, location: originOf(headers["location"]) };
  // The SDK gives this error no name of its own (@smithy/core, resolveRegionConfig).
  if (message === "Region is missing")
    return new StoreError("configuration", "no region for S3 is set", {
      hint: "set S3_REGION, or AWS_REGION, or S3_ENDPOINT for a store of another kind",
    });
  // The connection broke after the status, and before the error code that would explain it.
  if (/^(ECONN|EPIPE|ETIMEDOUT)/.test(errnoOf(error) ?? ""))
    return explainNetworkError(error, context.address, UNREACHABLE_HINT);
  // For an answer without a body (HEAD, some gateways), or with an unknown one, the SDK has only this word.
  const isWordless = message === "UnknownError";
  const details = {
    cause: isWordless ? new Error(`${status}, without a word why`) : error,
    retryAfterMs: parseRetryAfter(headers["retry-after"]),
    status,
    region,
    isWordless,
  };
  const known = BY_CODE[name] ?? byStatus(status, context);
  if (known !== undefined) {
    const hint = typeof known.hint === "function" ? known.hint(context) : known.hint;
    return new S3Error(known.failure, known.message(context), {
      ...details,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  if (status !== undefined && status >= 400)
    return new S3Error(
      "refused",
      `${context.action}: ${context.address} refused it (${isWordless ? status : `${status} ${name}`})`,
      { ...details, ...hintFor(status, isWordless) },
    );
  if (status !== undefined)
    return new StoreError("server", `${context.action}: the answer was broken`, { cause: error });
  return explainNetworkError(error, context.address, UNREACHABLE_HINT);
}

/** Returns the hint for a 400 without a code. */
function hintFor(status: number, isWordless: boolean): { hint?: string } {
  if (isWordless) return { hint: "check S3_ENDPOINT, S3_REGION and the credentials" };
  return status === 400 ? { hint: OPTIONAL_SETTINGS } : {};
}

/** Returns scheme and host of a Location header and drops its path, which may hold a signature. */
function originOf(location: string | undefined): string | undefined {
  return location !== undefined && URL.canParse(location) ? new URL(location).origin : undefined;
}

interface Facts {
  name: string;
  message: string;
  status: number | undefined;
  headers: Readonly<Record<string, string | undefined>>;
  region: string | undefined;
}

/** Reads what the SDK's errors carry in $metadata and $response; other errors have neither. */
function factsOf(error: unknown): Facts {
  if (!(error instanceof Error))
    return { name: "", message: String(error), status: undefined, headers: {}, region: undefined };
  const { $metadata, $response, ...body } = error as {
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number; headers?: Record<string, string> };
    /** Elements of the error's XML. */
    Region?: unknown;
    Endpoint?: unknown;
  };
  const headers = $response?.headers ?? {};
  return {
    name: error.name,
    message: error.message,
    status: $metadata?.httpStatusCode ?? $response?.statusCode,
    headers,
    region: regionNamedIn(headers["x-amz-bucket-region"], body.Region, body.Endpoint),
  };
}

/**
 * Returns the right region, which S3 names in a header or in the error's body, there sometimes only within an endpoint.
 */
function regionNamedIn(header: unknown, region: unknown, endpoint: unknown): string | undefined {
  for (const named of [header, region])
    if (typeof named === "string" && isRegionName(named)) return named;
  return typeof endpoint === "string" ? regionOfHost(endpoint) : undefined;
}
