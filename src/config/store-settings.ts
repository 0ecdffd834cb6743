// The settings of the store: where and how the agent delivers dumps.
import * as v from "valibot";
import { keyTemplate } from "./key-template.ts";
import { isRegionName, isS3Host, parseS3Address } from "../model/s3-address.ts";
import { S3_PART_WISHED_BYTES } from "../model/s3-limits.ts";
import { parseStoreUrl, STORE_URL_FORMS, STORE_URL_PATTERN } from "../model/store-url.ts";
import {
  byteSize,
  choice,
  flag,
  integer,
  path,
  text,
  type Setting,
  type SettingValues,
} from "./setting.ts";

const storeUrl: Setting<string> = {
  schema: v.pipe(
    v.string(),
    v.check((value) => parseStoreUrl(value) !== undefined),
  ),
  fallback: "",
  expected: STORE_URL_FORMS,
  shape: { kind: "pattern", pattern: STORE_URL_PATTERN },
};

/** Stores other than AWS's allow more names (Ceph: tenant:bucket). Rejects only what no store takes as a name. */
const bucketName: Setting<string> = {
  schema: v.pipe(v.string(), v.regex(/^(?!arn:|s3:)[A-Za-z0-9][A-Za-z0-9._:-]*$/i)),
  fallback: "",
  expected:
    "the bucket's name alone: no ARN (an access point has an alias), no s3://, no folder (that belongs into STORE_KEY_TEMPLATE)",
};

const endpoint: Setting<string> = {
  schema: v.pipe(
    v.string(),
    v.check((value) => parseS3Address(value) !== undefined),
  ),
  fallback: "",
  expected: "a host name or https://host[:port], without a password",
};

const region: Setting<string> = {
  schema: v.pipe(
    v.string(),
    v.check((value) =>
      isS3Host(value) ? parseS3Address(value) !== undefined : isRegionName(value),
    ),
  ),
  fallback: "",
  expected: "a region such as eu-west-1, or the host name of an S3-compatible service",
};

/** Whole folders of a key: debuginfod's clients get everything below them. */
const MODULE_PREFIX_PATTERN = "^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?$";

const modulePrefix: Setting<string> = {
  schema: v.pipe(
    v.string(),
    v.regex(new RegExp(MODULE_PREFIX_PATTERN)),
    v.transform((prefix) => (prefix.endsWith("/") ? prefix : `${prefix}/`)),
  ),
  fallback: "",
  expected: "folders of a key such as modules/ or debug/files/, without . and ..",
};

/** An address of a token service, without a query; a slash at its end makes no difference. */
function httpUrl(fallback: string): Setting<string> {
  const schema = v.pipe(
    v.string(),
    v.check((value) => /^https?:\/\/[^@?#\s]+$/.test(value) && URL.canParse(value)),
    v.transform((value) => `${value.replace(/\/+$/, "")}/`),
  );
  return { schema, fallback, expected: `an address such as ${fallback}` };
}

const CHECKSUM_MODES = ["when_required", "when_supported"] as const;

const INDEX_PREFIX_PATTERN = "^([A-Za-z0-9_-][A-Za-z0-9._-]*/)+$";

/** A folder of the store; no dump may have its key there. */
const indexPrefix: Setting<string> = {
  schema: v.pipe(v.string(), v.maxLength(200), v.regex(new RegExp(INDEX_PREFIX_PATTERN))),
  fallback: "index/",
  expected: "a folder that ends with /, such as index/, of letters, digits and ._-",
  shape: { kind: "pattern", pattern: INDEX_PREFIX_PATTERN },
};

/** These settings by variable. */
export const STORE_SETTINGS = {
  /** Where dumps go (src/model/store-url.ts). Unset, S3_BUCKET_NAME names a bucket. */
  STORE_URL: storeUrl,
  STORE_KEY_TEMPLATE: { ...keyTemplate, formerly: "S3_KEY_TEMPLATE" },
  /** Tags on the dump, `key=value,key={namespace}`, with the key template's fields, where the store knows tags. */
  STORE_TAGS: { ...text(""), formerly: "S3_TAGS" },
  /** What stands before buildid/… in the keys of modules (src/model/module-id.ts). */
  STORE_MODULE_PREFIX: { ...modulePrefix, formerly: "S3_MODULE_PREFIX" },
  /** After how many days without a dump that names it `modules unused` lists a module. */
  STORE_MODULE_DAYS: {
    ...integer(90, { min: 1, max: 3650, unit: "days" }),
    formerly: "S3_MODULE_DAYS",
  },
  /** {cluster} in STORE_KEY_TEMPLATE and STORE_TAGS. */
  CLUSTER_NAME: text(""),
  /** Each delivery also writes an empty object whose name tells the crash (src/model/crash-index.ts). */
  STORE_INDEX: flag(false),
  STORE_INDEX_PREFIX: { ...indexPrefix, formerly: "S3_INDEX_PREFIX" },
  /** How long the store may keep one request waiting, beside the time that its bytes need. */
  STORE_TIMEOUT: {
    ...integer(60, { min: 1, max: 3600, unit: "seconds" }),
    formerly: "S3_TIMEOUT",
  },
  /** Azure's own variables. Set is one of the first three, or AKS's webhook sets the others, or IMDS is asked. */
  AZURE_STORAGE_CONNECTION_STRING: text("", { secret: true }),
  AZURE_STORAGE_KEY: text("", { secret: true }),
  AZURE_STORAGE_SAS_TOKEN: text("", { secret: true }),
  AZURE_CLIENT_ID: text(""),
  AZURE_TENANT_ID: text(""),
  AZURE_FEDERATED_TOKEN_FILE: path(""),
  AZURE_AUTHORITY_HOST: httpUrl("https://login.microsoftonline.com/"),
  /** The host of the instance metadata service, as Azure's SDKs call it. */
  AZURE_POD_IDENTITY_AUTHORITY_HOST: httpUrl("http://169.254.169.254/"),
  /** Google's own variables: a key file or one of a workload identity federation. Unset, the metadata server is asked. */
  GOOGLE_APPLICATION_CREDENTIALS: path(""),
  /** host[:port] of the metadata server. */
  GCE_METADATA_HOST: text(""),
  /** An emulator's address, which is asked in place of Google's, and without credentials where none are named. */
  STORAGE_EMULATOR_HOST: text(""),
  /** Unset, the AWS SDK looks for credentials (environment, IRSA, EKS Pod Identity, IMDS). */
  S3_ACCESS_KEY: text("", { secret: true }),
  S3_SECRET: text("", { secret: true }),
  S3_BUCKET_NAME: bucketName,
  /** A region, or the host name of an S3-compatible service (docs/contract.md, section 4). */
  S3_REGION: region,
  /** The store's address; it wins over S3_REGION. */
  S3_ENDPOINT: endpoint,
  /** The AWS SDK's variable, which EKS sets for a service account with a role: the role goes before the static keys. */
  AWS_WEB_IDENTITY_TOKEN_FILE: text(""),
  /** The AWS SDK's variable: the region where neither S3_REGION nor the host's name has one. */
  AWS_REGION: text(""),
  S3_ADDRESSING: choice("path", ["path", "virtual"]),
  /** A PEM file of authorities to trust beside the public ones. */
  STORE_CA_BUNDLE: { ...path(""), formerly: "S3_CA_BUNDLE" },
  /**
   * when_supported also sends CRC32, as AWS's SDK does by default; GCS, R2, OVH and older Ceph refuse requests with it.
   * Either mode sends Content-MD5, which all of them know.
   */
  S3_REQUEST_CHECKSUM: choice("when_required", CHECKSUM_MODES),
  S3_RESPONSE_CHECKSUM: choice("when_required", CHECKSUM_MODES),
  /** auto signs the payload only over plain http, where nothing else protects the bytes on their way. */
  S3_SIGN_PAYLOAD: choice("auto", ["auto", "always", "never"]),
  /** Whether writes carry If-None-Match: *. The agent stops sending it when the store answers NotImplemented. */
  S3_CONDITIONAL_WRITES: flag(true),
  S3_SSE: choice("none", ["none", "AES256", "aws:kms"]),
  S3_SSE_KMS_KEY_ID: text(""),
  S3_STORAGE_CLASS: text(""),
  /** Whether objects carry x-amz-meta-* with namespace, pod, container, signal, node, core_complete. */
  STORE_METADATA: { ...flag(true), formerly: "S3_METADATA" },
  /** Bytes a second below which an upload counts as stalled. */
  STORE_MIN_SPEED: {
    ...byteSize(64 * 1024, { min: "1Ki", max: "1Ti", zero: false }),
    formerly: "S3_MIN_SPEED",
  },
  /** The wished part size; src/model/s3-limits.ts has its limits. */
  STORE_PART_SIZE: {
    ...byteSize(S3_PART_WISHED_BYTES, { min: "5Mi", max: "5Gi", zero: false }),
    formerly: "S3_PART_SIZE",
  },
  /** How many parts the agent uploads at once. */
  STORE_CONCURRENCY: {
    ...integer(2, { min: 1, max: 16, unit: "parts" }),
    formerly: "S3_CONCURRENCY",
  },
} as const;

/** The store's settings, parsed. */
export type StoreSettings = SettingValues<typeof STORE_SETTINGS>;
