// The blob service's error codes: which StoreFailure each is, and what the reader can do about it. Codes: "Blob service
// error codes" and "Common REST API error codes", Azure Storage REST reference.
import type { StoreFailure } from "../store-error.ts";
import type { CredentialKind } from "./azure-credentials.ts";

/** What is known about a failed request. */
export interface AzureContext {
  /** What the request was for, as the message has it: "upload part 3 of T.zip". */
  action: string;
  account: string;
  container: string;
  credentials: CredentialKind;
  /** The answer's words, which tell some cases of one code apart; "" where there were none. */
  detail: string;
}

/** What an error code means. */
export interface Explanation {
  failure: StoreFailure;
  message: (context: AzureContext) => string;
  hint?: (context: AzureContext) => string;
}

/** What the identity needs. */
export const ROLE =
  "Storage Blob Data Contributor on the container (or the narrower role of docs/stores.md)";
const CLOCK = /date header|request date|not yet valid|time frame/i;

const EXISTS: Explanation = {
  failure: "exists",
  message: ({ action }) => `${action}: a blob of this name exists already`,
};
const GONE: Explanation = {
  failure: "gone",
  message: ({ action }) => `${action}: the store no longer has the blocks of this upload`,
};
const THROTTLED: Explanation = {
  failure: "throttled",
  message: ({ account }) => `the account ${account} asks to slow down`,
};
const SERVER: Explanation = {
  failure: "server",
  message: ({ action }) => `${action}: the store failed`,
};
const NAME_REFUSED: Explanation = {
  failure: "name_refused",
  message: ({ action }) => `${action}: the store does not take this name`,
  hint: () => "another STORE_KEY_TEMPLATE gives names that it takes",
};
const LABELS: Explanation = {
  failure: "refused",
  message: ({ action }) => `${action}: the store does not take its metadata or tags`,
  hint: () => "STORE_METADATA false and no STORE_TAGS leave them out",
};
const NOT_FOUND: Explanation = {
  failure: "not_found",
  message: ({ action }) => `${action}: there is nothing`,
};
const REFUSED_KEY: Explanation = {
  failure: "credentials",
  message: ({ account, credentials, detail }) =>
    CLOCK.test(detail)
      ? `${account} refuses the request's time: the clock is wrong, or the signature is over`
      : `${account} refuses the ${credentials === "key" ? "account's key" : credentials}`,
  hint: ({ credentials, detail }) =>
    credentials === "key"
      ? CLOCK.test(detail)
        ? "synchronise this node's clock"
        : "check AZURE_STORAGE_KEY or the AccountKey of AZURE_STORAGE_CONNECTION_STRING, and the account in STORE_URL"
      : credentials === "signature"
        ? "check AZURE_STORAGE_SAS_TOKEN: its end (se), what it allows (sp needs r, c and w) and for what (sr=c)"
        : "is the identity of the account's own tenant? (AZURE_TENANT_ID)",
};
const REFUSED_TOKEN: Explanation = {
  failure: "credentials",
  message: ({ account }) => `${account} does not take the identity's token`,
  hint: () =>
    "is the identity of the tenant that the account belongs to? check AZURE_TENANT_ID and AZURE_CLIENT_ID, and this node's clock",
};
const NO_ROLE: Explanation = {
  failure: "forbidden",
  message: ({ container, credentials }) =>
    credentials === "token"
      ? `the identity may not do this in the container ${container}`
      : `the signature does not allow this in the container ${container}`,
  hint: ({ credentials }) =>
    credentials === "token"
      ? `give it the role ${ROLE}; a new assignment takes up to ten minutes`
      : "it needs sp=rcw (and t for STORE_TAGS, l for list) and sr=c",
};
const NETWORK_RULES: Explanation = {
  failure: "forbidden",
  message: ({ account, credentials }) =>
    credentials === "token"
      ? `the account ${account} is not open to this network`
      : `the account ${account} refuses the ${credentials === "key" ? "account's key" : credentials}, or is not open to this network`,
  hint: ({ credentials }) =>
    `${credentials === "token" ? "" : `check AZURE_STORAGE_${credentials === "key" ? "KEY" : "SAS_TOKEN"}; `}allow the nodes' subnet in the account's firewall, or use a private endpoint`,
};
const NO_ACCOUNT: Explanation = {
  failure: "no_store",
  message: ({ account }) => `the storage account ${account} cannot be used`,
  hint: () => "is it there and enabled, and does STORE_URL name the right one?",
};

/** The meanings by code. */
export const BY_CODE: Readonly<Record<string, Explanation>> = {
  BlobAlreadyExists: EXISTS,
  ConditionNotMet: EXISTS,
  TargetConditionNotMet: EXISTS,
  InvalidBlobType: EXISTS,
  BlobImmutableDueToPolicy: EXISTS,
  LeaseIdMissing: EXISTS,
  // Somebody else's unfinished blocks, whose names have another length, stand in the way for a week.
  InvalidBlobOrBlock: EXISTS,
  BlockCountExceedsLimit: EXISTS,
  InvalidBlockList: GONE,
  BlobNotFound: NOT_FOUND,
  ResourceNotFound: NOT_FOUND,
  InvalidRange: { ...NOT_FOUND, failure: "refused" },
  ContainerNotFound: {
    failure: "no_store",
    message: ({ account, container }) => `the account ${account} has no container ${container}`,
    hint: () => "check STORE_URL, or create it: az storage container create",
  },
  ContainerBeingDeleted: SERVER,
  AccountBeingCreated: SERVER,
  AccountIsDisabled: NO_ACCOUNT,
  AuthenticationFailed: REFUSED_KEY,
  InvalidAuthenticationInfo: REFUSED_TOKEN,
  NoAuthenticationInformation: REFUSED_TOKEN,
  PublicAccessNotPermitted: REFUSED_TOKEN,
  KeyBasedAuthenticationNotPermitted: {
    failure: "credentials",
    message: ({ account }) => `the account ${account} does not allow its keys and signatures`,
    hint: () => "use workload identity or a managed identity, or allow shared key access",
  },
  AuthorizationPermissionMismatch: NO_ROLE,
  InsufficientAccountPermissions: NO_ROLE,
  AuthorizationResourceTypeMismatch: NO_ROLE,
  AuthorizationServiceMismatch: NO_ROLE,
  UnauthorizedBlobOverwrite: EXISTS,
  AuthorizationFailure: NETWORK_RULES,
  AuthorizationSourceIPMismatch: NETWORK_RULES,
  AuthorizationProtocolMismatch: {
    failure: "forbidden",
    message: ({ account }) => `the account ${account} wants https`,
    hint: () => "write https:// in STORE_URL",
  },
  // The bytes changed on their way.
  Md5Mismatch: SERVER,
  InternalError: SERVER,
  OperationTimedOut: SERVER,
  ServerBusy: THROTTLED,
  InvalidResourceName: NAME_REFUSED,
  InvalidUri: NAME_REFUSED,
  OutOfRangeInput: NAME_REFUSED,
  InvalidMetadata: LABELS,
  EmptyMetadataKey: LABELS,
  MetadataTooLarge: LABELS,
  InvalidTag: LABELS,
  TagsTooLarge: LABELS,
  FeatureNotSupportedForAccount: LABELS,
  BlobTagsNotSupportedForAccountType: LABELS,
};

/** Returns the meaning of a status without a known code. */
export function byStatus(status: number): Explanation | undefined {
  if (status === 429 || status === 503) return THROTTLED;
  if (status >= 500) return SERVER;
  if (status === 401) return REFUSED_TOKEN;
  if (status === 403) return NO_ROLE;
  if (status === 404) return NOT_FOUND;
  if (status === 409 || status === 412) return EXISTS;
  return undefined;
}
