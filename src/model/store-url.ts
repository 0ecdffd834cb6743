// STORE_URL: the address of a store of any kind, in one line without a secret. Keys of dumps are relative to it.

/** What a STORE_URL names. A prefix is "" or ends with a slash. */
export type StoreAddress =
  { kind: "directory" } | { kind: "s3" | "google"; bucket: string; prefix: string } | AzureAddress;

/** A container of Azure Blob Storage. */
export interface AzureAddress {
  kind: "azure";
  account: string;
  /** Undefined for azblob://, where the cloud follows from other settings. */
  endpoint: string | undefined;
  container: string;
  prefix: string;
}

const FOLDERS = String.raw`((?:/[A-Za-z0-9._=@~+-]+)*)/?`;
/** A key has at most 1,024 bytes at S3; object-key.ts leaves this much room. */
const PREFIX_MAX_CHARACTERS = 200;

/** Requires a directory's name: file:/// alone would be the root of the filesystem. */
const DIRECTORY = String.raw`file:///[^\s/].*`;
/** Stores other than AWS's allow more names than AWS (Ceph: tenant:bucket). */
const S3 = String.raw`s3://([A-Za-z0-9][A-Za-z0-9._:-]*)${FOLDERS}`;

/** "Bucket naming": a name with dots has up to 222 characters. */
const GOOGLE = `gs://([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])${FOLDERS}`;
const ACCOUNT = "[a-z0-9]{3,24}";
const CONTAINER = String.raw`/([a-z0-9][a-z0-9-]{1,61}[a-z0-9])${FOLDERS}`;
const AZURE = `azblob://(${ACCOUNT})${CONTAINER}`;
/** The account's own host, of any cloud and DNS zone, and by a private link. */
const AZURE_HOST = String.raw`(https://(${ACCOUNT})(?:\.[a-z0-9]+)?\.blob(?:\.[a-z0-9-]+)+)${CONTAINER}`;
/** An emulator, which has its accounts in the path: its host is an address or a name without a dot. */
const AZURE_PATH = String.raw`(https?://(?:[0-9.]+|[a-z0-9-]+)(?::\d+)?/(${ACCOUNT}))${CONTAINER}`;

/** The form of a STORE_URL, for schemas; parseStoreUrl() is stricter. */
export const STORE_URL_PATTERN = `^(?:${[DIRECTORY, S3, GOOGLE, AZURE, AZURE_HOST, AZURE_PATH].join("|")})$`;

/** The forms of a STORE_URL, for messages. */
export const STORE_URL_FORMS =
  "s3://BUCKET/prefix, gs://BUCKET/prefix, azblob://ACCOUNT/CONTAINER/prefix, https://ACCOUNT.blob.core.windows.net/CONTAINER/prefix or file:///a/directory, without keys and ?";

/** Parses a STORE_URL; undefined for any other text. */
export function parseStoreUrl(text: string): StoreAddress | undefined {
  if (exactly(DIRECTORY).test(text)) return { kind: "directory" };
  return parseBucket("s3", S3, text) ?? parseBucket("google", GOOGLE, text) ?? parseAzure(text);
}

function parseBucket(
  kind: "s3" | "google",
  pattern: string,
  text: string,
): StoreAddress | undefined {
  const [, bucket, folders] = exactly(pattern).exec(text) ?? [];
  const prefix = parsePrefix(folders);
  if (bucket === undefined || prefix === undefined) return undefined;
  return { kind, bucket, prefix };
}

function parseAzure(text: string): AzureAddress | undefined {
  const [, named, namedContainer, namedFolders] = exactly(AZURE).exec(text) ?? [];
  const [, endpoint, hosted, hostedContainer, hostedFolders] =
    exactly(AZURE_HOST).exec(text) ?? exactly(AZURE_PATH).exec(text) ?? [];
  const account = named ?? hosted;
  const container = namedContainer ?? hostedContainer;
  const prefix = parsePrefix(namedFolders ?? hostedFolders);
  if (account === undefined || container === undefined || prefix === undefined) return undefined;
  return { kind: "azure", account, endpoint, container, prefix };
}

function exactly(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}

/** Returns the folders as a prefix of keys; undefined where one of them has no name, or they are too long. */
function parsePrefix(folders = ""): string | undefined {
  const names = folders.split("/").slice(1);
  if (names.some((name) => name === "." || name === "..")) return undefined;
  const prefix = names.map((name) => `${name}/`).join("");
  return prefix.length > PREFIX_MAX_CHARACTERS ? undefined : prefix;
}
