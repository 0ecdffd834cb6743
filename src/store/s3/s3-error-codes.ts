// The error codes of S3 and of compatible stores: which StoreFailure each is, and what the reader can do about it.
// Codes: "Error responses", Amazon S3 API reference.
import type { StoreFailure } from "../store-error.ts";

/** What is known about a failed request. */
export interface S3Context {
  /** What the request was for, as the message has it: "upload part 3 of T.zip". */
  action: string;
  bucket: string;
  /** The address as it was configured, without secrets. */
  address: string;
  /** The region in the address's name. */
  hostRegion?: string | undefined;
  /** The region for which the request was signed, where it is known. */
  signedFor?: string | undefined;
  /** Another region, which the answer names. */
  region?: string | undefined;
  /** The address to which the answer redirects. */
  location?: string | undefined;
}

/** What an error code means. */
export interface Explanation {
  failure: StoreFailure;
  message: (context: S3Context) => string;
  hint?: string | ((context: S3Context) => string);
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
/** The optional features of a write that each setting turns off. */
export const OPTIONAL_SETTINGS =
  "STORE_METADATA, STORE_TAGS, S3_STORAGE_CLASS, S3_SSE and S3_CONDITIONAL_WRITES turn off what not every store knows";
const EXISTS: Explanation = {
  failure: "exists",
  message: ({ action }) => `${action}: an object of this key exists already`,
};
const NAME_REFUSED: Explanation = {
  failure: "name_refused",
  message: ({ action, address }) => `${action}: ${address} does not take a key like this`,
  hint: "another STORE_KEY_TEMPLATE gives keys that it takes",
};

/** Explains a refusal that concerns one setting. */
function refusedFor(hint: string): Explanation {
  return {
    failure: "refused",
    message: ({ action, address }) => `${action}: ${address} refused it`,
    hint,
  };
}

const SSE_HINT = "check S3_SSE and S3_SSE_KMS_KEY_ID";
const PART_HINT = "check STORE_PART_SIZE";

/** Returns the hint for a wrong region. An address with a region in its name serves no other region. */
function setRegion({ region = "the bucket's region", hostRegion }: S3Context): string {
  return hostRegion === undefined || hostRegion === region
    ? `set S3_REGION to ${region}`
    : `set S3_ENDPOINT to the address of ${region}`;
}

const ANOTHER_REGION: Explanation = {
  failure: "configuration",
  message: ({ address, region }) =>
    `${address} expects ${region === undefined ? "another region" : `region ${region}`} in the signature`,
  hint: setRegion,
};
const ELSEWHERE: Explanation = {
  failure: "no_store",
  message: ({ bucket, region }) => `bucket ${bucket} is in ${region ?? "another region"}`,
  hint: setRegion,
};

/** The explanation of each error code. */
export const BY_CODE: Readonly<Record<string, Explanation>> = {
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
    failure: "no_store",
    message: ({ bucket, address }) => `there is no bucket ${bucket} at ${address}`,
    hint: "check S3_BUCKET_NAME and S3_REGION; buckets are not made by the agent",
  },
  PermanentRedirect: ELSEWHERE,
  IllegalLocationConstraintException: ELSEWHERE,
  AuthorizationHeaderMalformed: ANOTHER_REGION,
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
  // Azure and others answer with this code and 409.
  BlobAlreadyExists: EXISTS,
  ObjectAlreadyExists: EXISTS,
  InvalidBucketName: refusedFor("check S3_BUCKET_NAME"),
  InvalidStorageClass: refusedFor("check S3_STORAGE_CLASS"),
  InvalidTag: refusedFor("check STORE_TAGS"),
  InvalidMetadata: refusedFor("STORE_METADATA=false leaves the metadata out"),
  MetadataTooLarge: refusedFor("STORE_METADATA=false leaves the metadata out"),
  InvalidEncryptionAlgorithmError: refusedFor(SSE_HINT),
  "KMS.NotFoundException": refusedFor(SSE_HINT),
  "KMS.DisabledException": refusedFor(SSE_HINT),
  "KMS.KMSInvalidStateException": refusedFor(SSE_HINT),
  EntityTooSmall: refusedFor(PART_HINT),
  EntityTooLarge: refusedFor(PART_HINT),
  InvalidPartNumber: refusedFor(PART_HINT),
  NotImplemented: {
    failure: "unsupported",
    message: ({ action }) => `${action}: the store does not support this`,
    hint: OPTIONAL_SETTINGS,
  },
  // Stores that keep objects as files (MinIO, gateways to Azure or a NAS) have a file system's limits.
  KeyTooLongError: NAME_REFUSED,
  KeyTooLong: NAME_REFUSED,
  InvalidObjectName: NAME_REFUSED,
  XMinioInvalidObjectName: NAME_REFUSED,
  QuotaExceeded: {
    failure: "no_space",
    message: ({ bucket }) => `bucket ${bucket} is over its quota`,
  },
  // Errors that a retry cures: the bytes changed on the way, or two writers collided.
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

const REDIRECTED: Explanation = {
  failure: "configuration",
  message: ({ address, location = "another address" }) => `${address} redirects to ${location}`,
  hint: "set S3_ENDPOINT to the store's own address, and S3_REGION to the bucket's region",
};

/** Explains a status where the answer has no known code. */
export function byStatus(
  status: number | undefined,
  { region }: Pick<S3Context, "region">,
): Explanation | undefined {
  if (status === 301 && region !== undefined) return ELSEWHERE;
  if (status === 400 && region !== undefined) return ANOTHER_REGION;
  if (status !== undefined && status >= 300 && status < 400) return REDIRECTED;
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
