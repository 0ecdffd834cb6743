// STORE_URL: the address of a store of any kind, in one line without a secret. Keys of dumps are relative to it.

/** What a STORE_URL names. A prefix is "" or ends with a slash. */
export type StoreAddress = { kind: "directory" } | { kind: "s3"; bucket: string; prefix: string };

const FOLDERS = String.raw`((?:/[A-Za-z0-9._=@~+-]+)*)/?`;
/** A key has at most 1,024 bytes at S3; object-key.ts leaves this much room. */
const PREFIX_MAX_CHARACTERS = 200;

/** Requires a directory's name: file:/// alone would be the root of the filesystem. */
const DIRECTORY = String.raw`file:///[^\s/].*`;
/** Stores other than AWS's allow more names than AWS (Ceph: tenant:bucket). */
const S3 = String.raw`s3://([A-Za-z0-9][A-Za-z0-9._:-]*)${FOLDERS}`;

/** The form of a STORE_URL, for schemas; parseStoreUrl() is stricter. */
export const STORE_URL_PATTERN = `^(?:${[DIRECTORY, S3].join("|")})$`;

/** The forms of a STORE_URL, for messages. */
export const STORE_URL_FORMS = "s3://BUCKET/prefix or file:///a/directory";

/** Parses a STORE_URL; undefined for any other text. */
export function parseStoreUrl(text: string): StoreAddress | undefined {
  if (exactly(DIRECTORY).test(text)) return { kind: "directory" };
  const [, bucket, folders] = exactly(S3).exec(text) ?? [];
  const prefix = parsePrefix(folders);
  if (bucket === undefined || prefix === undefined) return undefined;
  return { kind: "s3", bucket, prefix };
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
