// Turns refusals of Cloud Storage into a StoreError with one clear sentence. Reasons: "HTTP status and error codes for
// JSON", Cloud Storage reference.
import { StoreError, type StoreFailure } from "../store-error.ts";

/** What is known about a failed request. */
export interface GoogleContext {
  /** What the request was for, as the message has it: "upload part 3 of T.zip". */
  action: string;
  bucket: string;
  /** True for a request to the address of an upload. */
  isUpload: boolean;
}

/** A refusal. */
export interface Refusal {
  status: number;
  body: string;
  retryAfterMs: number;
}

/** The role that has each permission, the narrowest one. */
const ROLE_OF: Readonly<Record<string, string>> = {
  "storage.objects.create": "roles/storage.objectCreator",
  "storage.objects.get": "roles/storage.objectViewer",
  "storage.objects.list": "roles/storage.objectViewer",
  "storage.objects.delete": "roles/storage.objectUser",
};

interface Reason {
  failure: StoreFailure;
  message: string;
  hint?: string;
}

/** Explains a refusal. */
export function explainGoogleError(refusal: Refusal, context: GoogleContext): StoreError {
  const { status, body, retryAfterMs } = refusal;
  const { failure, message, hint } = reasonOf(refusal, context);
  const word = /"reason":\s*"(\w+)"/.exec(body)?.[1];
  const cause = new Error(word === undefined ? String(status) : `${status} ${word}`);
  return new StoreError(failure, message, {
    cause,
    retryAfterMs,
    ...(hint === undefined ? {} : { hint }),
  });
}

function reasonOf({ status, body }: Refusal, context: GoogleContext): Reason {
  const { action, bucket, isUpload } = context;
  if (isUpload && (status === 404 || status === 410))
    return { failure: "gone", message: `${action}: the store does not know this upload` };
  if (status === 429 || /rateLimitExceeded/i.test(body))
    return { failure: "throttled", message: `the bucket ${bucket} asks to slow down` };
  if (status >= 500 || status === 408)
    return { failure: "server", message: `${action}: the store failed` };
  if (status === 412)
    return { failure: "exists", message: `${action}: an object of this name exists already` };
  if (status === 401)
    return {
      failure: "credentials",
      message: "Cloud Storage does not take the credentials",
      hint: "is the key or the service account disabled, or this node's clock wrong?",
    };
  if (status === 403) return forbidden(body, context);
  if (status === 404 && /bucket does not exist/i.test(body))
    return {
      failure: "no_store",
      message: `there is no bucket ${bucket}`,
      hint: "check STORE_URL, or create it: gcloud storage buckets create",
    };
  if (status === 404) return { failure: "not_found", message: `${action}: there is nothing` };
  if (status === 400 && /crc32c|md5|hash|checksum/i.test(body))
    return { failure: "unverified", message: `${action}: other bytes came than were sent` };
  if (status === 400 && /object name|invalid name/i.test(body))
    return {
      failure: "name_refused",
      message: `${action}: the store does not take this name`,
      hint: "another STORE_KEY_TEMPLATE gives names that it takes",
    };
  if (status < 400)
    return {
      failure: "server",
      message: `${action}: the store answered ${status}, which it should not`,
    };
  return { failure: "refused", message: `${action}: the store refused it` };
}

function forbidden(body: string, { action, bucket }: GoogleContext): Reason {
  if (/billing|accountDisabled/i.test(body))
    return { failure: "forbidden", message: `the project of the bucket ${bucket} is not billed` };
  if (/retentionPolicyNotMet/i.test(body))
    return { failure: "exists", message: `${action}: what is there may not be replaced yet` };
  const permission = /storage\.[a-z]+\.[a-zA-Z]+/.exec(body)?.[0];
  const role = permission === undefined ? undefined : ROLE_OF[permission];
  return {
    failure: "forbidden",
    message: `the service account may not do this in the bucket ${bucket}${permission === undefined ? "" : ` (${permission})`}`,
    hint: `give it ${role ?? "roles/storage.objectCreator and roles/storage.objectViewer"} on the bucket`,
  };
}
