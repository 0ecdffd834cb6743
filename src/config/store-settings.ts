// Where dumps are delivered to, and how: the store's part of the agent's environment.
import * as v from "valibot";
import { DEFAULT_KEY_TEMPLATE, KEY_FIELDS, keyTemplateProblems } from "../model/object-key.ts";
import { PART_WISHED_BYTES } from "../model/part-plan.ts";
import { isRegionName, isS3Host, parseS3Address } from "../model/s3-address.ts";
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
  // A directory of one's own is meant: file:/// alone would be the root of the filesystem.
  schema: v.pipe(v.string(), v.regex(/^file:\/\/\/[^\s/]/)),
  fallback: "",
  expected: "file:///a/directory (leave it unset for S3)",
};

const keyTemplate: Setting<string> = {
  schema: v.pipe(
    v.string(),
    v.check((template) => keyTemplateProblems(template).length === 0),
  ),
  fallback: DEFAULT_KEY_TEMPLATE,
  expected: `a path with {filename} or {uuid} in it, of the fields ${KEY_FIELDS.map((field) => `{${field}}`).join(" ")}`,
};

/** Stores of other kinds than AWS's are freer with names (Ceph: tenant:bucket); what no name is, is told from one. */
const bucketName: Setting<string> = {
  schema: v.pipe(v.string(), v.regex(/^(?!arn:|s3:)[A-Za-z0-9][A-Za-z0-9._:-]*$/i)),
  fallback: "",
  expected:
    "the bucket's name alone: no ARN (an access point has an alias), no s3://, no folder (that belongs into S3_KEY_TEMPLATE)",
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

const CHECKSUM_MODES = ["when_required", "when_supported"] as const;

export const STORE_SETTINGS = {
  /** file:///directory: a share instead of a bucket. */
  STORE_URL: storeUrl,
  /** Unset: the AWS chain (environment, IRSA, EKS Pod Identity, IMDS). */
  S3_ACCESS_KEY: text("", { secret: true }),
  S3_SECRET: text("", { secret: true }),
  S3_BUCKET_NAME: bucketName,
  /** A region, or the host name of an S3-compatible service (docs/contract.md, section 4). */
  S3_REGION: region,
  /** Wins over S3_REGION as the address. */
  S3_ENDPOINT: endpoint,
  /** The AWS SDK's own: the region where neither S3_REGION nor the host's name tells one. */
  AWS_REGION: text(""),
  S3_ADDRESSING: choice("path", ["path", "virtual"]),
  /** A PEM file that is trusted beside the public authorities. */
  S3_CA_BUNDLE: path(""),
  /**
   * when_supported also sends CRC32 (AWS's default); GCS, R2, OVH and older Ceph refuse requests for it.
   * Content-MD5, which all of them know, is sent in either mode.
   */
  S3_REQUEST_CHECKSUM: choice("when_required", CHECKSUM_MODES),
  S3_RESPONSE_CHECKSUM: choice("when_required", CHECKSUM_MODES),
  /** auto: over plain http only, where nothing else protects the bytes on their way. */
  S3_SIGN_PAYLOAD: choice("auto", ["auto", "always", "never"]),
  /** If-None-Match: * on writes; given up by itself where the store says NotImplemented. */
  S3_CONDITIONAL_WRITES: flag(true),
  S3_SSE: choice("none", ["none", "AES256", "aws:kms"]),
  S3_SSE_KMS_KEY_ID: text(""),
  S3_STORAGE_CLASS: text(""),
  /** x-amz-meta-*: namespace, pod, container, signal, node, core_complete. */
  S3_METADATA: flag(true),
  /** Object tags, `key=value,key={namespace}`, with the key template's fields; needs s3:PutObjectTagging. */
  S3_TAGS: text(""),
  S3_KEY_TEMPLATE: keyTemplate,
  /** {cluster} in S3_KEY_TEMPLATE and S3_TAGS. */
  CLUSTER_NAME: text(""),
  /** How long a request may take beside the time that its bytes need at S3_MIN_SPEED. */
  S3_TIMEOUT: integer(60, { min: 1, max: 3600, unit: "seconds" }),
  /** Bytes a second below which an upload counts as stalled. */
  S3_MIN_SPEED: byteSize(64 * 1024, { min: "1Ki", max: "1Ti", zero: false }),
  /** model/part-plan.ts has the limits: PART_MIN_BYTES and PART_MAX_BYTES. */
  S3_PART_SIZE: byteSize(PART_WISHED_BYTES, { min: "5Mi", max: "5Gi", zero: false }),
  /** Parts on their way at once. */
  S3_CONCURRENCY: integer(2, { min: 1, max: 16, unit: "parts" }),
} as const;

export type StoreSettings = SettingValues<typeof STORE_SETTINGS>;
