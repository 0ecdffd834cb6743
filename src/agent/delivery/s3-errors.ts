// What the S3 client threw, as one clear sentence and a StoreFailure. Codes: "Error responses", Amazon S3
// API reference; the network's are Bun's own (`ConnectionRefused`) and OpenSSL's.
import { errnoOf } from "../../model/app-error.ts";
import { StoreError, type StoreFailure } from "./store-error.ts";

export interface S3Context {
  /** What was being done, for the message: "upload part 3 of T.zip". */
  action: string;
  bucket: string;
  /** The address as it was configured, without secrets. */
  address: string;
}

interface Explanation {
  failure: StoreFailure;
  message: (context: S3Context) => string;
  hint?: string;
}

const UNKNOWN_KEY: Explanation = {
  failure: "credentials",
  message: ({ address }) => `${address} does not know this access key`,
  hint: "check S3_ACCESS_KEY",
};
const NO_CREDENTIALS: Explanation = {
  failure: "credentials",
  message: () => "no credentials for S3 could be had",
  hint: "set S3_ACCESS_KEY and S3_SECRET, or give the pod an AWS role (IRSA, Pod Identity, node role)",
};
const EXPIRED: Explanation = {
  failure: "credentials",
  message: ({ address }) => `the session's credentials for ${address} have expired`,
  hint: "they are asked for anew at the next try",
};
const THROTTLED: Explanation = {
  failure: "throttled",
  message: ({ address }) => `${address} asks to slow down`,
};
const NOT_FOUND: Explanation = {
  failure: "not_found",
  message: ({ action }) => `${action}: there is nothing`,
};
const GONE: Explanation = {
  failure: "gone",
  message: ({ action }) => `${action}: the store does not know this multipart upload`,
};
const EXISTS: Explanation = {
  failure: "exists",
  message: ({ action }) => `${action}: an object of this key exists already`,
};

const BY_CODE: Readonly<Record<string, Explanation>> = {
  InvalidAccessKeyId: UNKNOWN_KEY,
  SignatureDoesNotMatch: {
    failure: "credentials",
    message: ({ address }) => `${address} says that the secret does not fit the access key`,
    hint: "check S3_SECRET; a wrong S3_REGION or a proxy that changes requests looks the same",
  },
  CredentialsProviderError: NO_CREDENTIALS,
  ProviderError: NO_CREDENTIALS,
  TokenProviderError: NO_CREDENTIALS,
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  TokenRefreshRequired: EXPIRED,
  InvalidToken: EXPIRED,
  AccessDenied: {
    failure: "forbidden",
    message: ({ bucket, action }) => `access to bucket ${bucket} was denied (${action})`,
    hint: "s3:PutObject, s3:GetObject, s3:ListBucket, s3:AbortMultipartUpload, s3:ListMultipartUploadParts and s3:ListBucketMultipartUploads are used",
  },
  NoSuchBucket: {
    failure: "no_bucket",
    message: ({ bucket, address }) => `there is no bucket ${bucket} at ${address}`,
    hint: "check S3_BUCKET_NAME and S3_REGION; buckets are not made by the agent",
  },
  PermanentRedirect: {
    failure: "no_bucket",
    message: ({ bucket }) => `bucket ${bucket} is in another region`,
    hint: "set S3_REGION to the bucket's region",
  },
  AuthorizationHeaderMalformed: {
    failure: "configuration",
    message: ({ address }) => `${address} expects another region in the signature`,
    hint: "set S3_REGION to the bucket's region",
  },
  RequestTimeTooSkewed: {
    failure: "server",
    message: ({ address }) => `this node's clock and ${address}'s are too far apart`,
    hint: "the next try is signed by the store's clock",
  },
  SlowDown: THROTTLED,
  ServiceUnavailable: THROTTLED,
  TooManyRequests: THROTTLED,
  TooManyRequestsException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  ThrottlingException: THROTTLED,
  NoSuchUpload: GONE,
  NotFound: NOT_FOUND,
  NoSuchKey: NOT_FOUND,
  PreconditionFailed: EXISTS,
  NotImplemented: {
    failure: "unsupported",
    message: ({ action }) => `${action}: the store does not support this`,
  },
  QuotaExceeded: {
    failure: "no_space",
    message: ({ bucket }) => `bucket ${bucket} is over its quota`,
  },
  // Answers that a second try cures: the bytes changed on their way, or two writers met.
  BadDigest: {
    failure: "server",
    message: ({ action }) => `${action}: the bytes were changed on their way`,
  },
  XAmzContentSHA256Mismatch: {
    failure: "server",
    message: ({ action }) => `${action}: the bytes were changed on their way`,
  },
  IncompleteBody: {
    failure: "server",
    message: ({ action }) => `${action}: the store got only a part of the bytes`,
  },
  RequestTimeout: {
    failure: "timeout",
    message: ({ action }) => `${action}: the store waited too long for bytes`,
  },
  OperationAborted: {
    failure: "server",
    message: ({ action }) => `${action}: another request was changing the same`,
  },
  ConditionalRequestConflict: {
    failure: "server",
    message: ({ action }) => `${action}: another request was writing the same key`,
  },
};

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

function byStatus(status: number | undefined): Explanation | undefined {
  if (status === 429 || status === 503) return THROTTLED;
  if (status === 404) return NOT_FOUND;
  if (status === 412) return EXISTS;
  if (status === 501) return BY_CODE["NotImplemented"];
  if (status === 403 || status === 401) return BY_CODE["AccessDenied"];
  if (status === 408) return BY_CODE["RequestTimeout"];
  if (status !== undefined && status >= 500)
    return {
      failure: "server",
      message: ({ action, address }) => `${action}: ${address} answered ${status}`,
    };
  return undefined;
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
