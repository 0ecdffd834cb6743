// What the S3 client threw, as one clear sentence and a StoreFailure. The network's codes are Bun's own
// (`ConnectionRefused`) and OpenSSL's; those of S3 are in s3-error-codes.ts.
import { errnoOf } from "../../model/app-error.ts";
import { BY_CODE, byStatus, type S3Context } from "./s3-error-codes.ts";
import { StoreError } from "./store-error.ts";

export function explainS3Error(error: unknown, context: S3Context): StoreError {
  if (error instanceof StoreError) return error;
  const { name, status, headers, message } = factsOf(error);
  // The SDK has no name for this one (@smithy/core, resolveRegionConfig).
  if (message === "Region is missing")
    return new StoreError("configuration", "no region for S3 is set", {
      hint: "set S3_REGION, or AWS_REGION, or S3_ENDPOINT for a store of another kind",
    });
  // An answer without a body (HEAD, some gateways) leaves the SDK with this word only.
  const cause = message === "UnknownError" ? new Error(`${status} ${name}`) : error;
  const retryAfterMs = parseRetryAfter(headers["retry-after"]);
  // A status came, and then the connection broke: its code, which says what the status is about, did not.
  if (/^(ECONN|EPIPE|ETIMEDOUT)/.test(errnoOf(error) ?? ""))
    return explainNetworkError(error, message, context);
  const known = BY_CODE[name] ?? byStatus(status);
  if (known !== undefined)
    return new StoreError(known.failure, known.message(context), {
      cause,
      retryAfterMs,
      ...(known.hint === undefined ? {} : { hint: known.hint }),
    });
  if (status !== undefined && status >= 400)
    return new StoreError(
      "refused",
      `${context.action}: ${context.address} refused it (${status} ${name})`,
      {
        cause: error,
      },
    );
  if (status !== undefined)
    return new StoreError("server", `${context.action}: the answer was broken`, { cause: error });
  return explainNetworkError(error, message, context);
}

function explainNetworkError(error: unknown, message: string, context: S3Context): StoreError {
  const code = errnoOf(error) ?? "";
  if (/CERT|SIGNATURE|SELF_SIGNED|ISSUER/i.test(code) || /certificate/i.test(message))
    return new StoreError("unreachable", `${context.address} shows a certificate we do not trust`, {
      hint: "put the authority that signed it into a PEM file and name it in S3_CA_BUNDLE",
      cause: error,
    });
  return new StoreError("unreachable", `${context.address} cannot be reached`, {
    hint: "check S3_ENDPOINT or S3_REGION, name resolution and network policies",
    cause: error,
  });
}

interface Facts {
  name: string;
  message: string;
  status: number | undefined;
  headers: Readonly<Record<string, string | undefined>>;
}

/** The SDK's errors carry $metadata and $response; what else is thrown carries neither. */
function factsOf(error: unknown): Facts {
  if (!(error instanceof Error))
    return { name: "", message: String(error), status: undefined, headers: {} };
  const { $metadata, $response } = error as {
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number; headers?: Record<string, string> };
  };
  return {
    name: error.name,
    message: error.message,
    status: $metadata?.httpStatusCode ?? $response?.statusCode,
    headers: $response?.headers ?? {},
  };
}

/** Retry-After in seconds or as a date (RFC 9110, 10.2.3), in ms, at most an hour. */
export function parseRetryAfter(value: string | undefined, nowMs = Date.now()): number {
  if (value === undefined) return 0;
  const waitMs = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(waitMs) ? Math.min(3_600_000, Math.max(0, waitMs)) : 0;
}
