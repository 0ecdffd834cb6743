// The rows of `daemonset.*` about the store: where dumps go, and how. See chart-values.ts.
import { S3_PART_LIMITS, S3_PART_WISHED_BYTES } from "../src/model/s3-limits.ts";
import { STORE_URL_PATTERN } from "../src/model/store-url.ts";
import { ABSOLUTE_PATH_OR_BLANK, type ChartValue, type JsonSchema, SIZE } from "./chart-value.ts";

const STORE_URL_OR_BLANK: JsonSchema = { type: "string", pattern: `^$|${STORE_URL_PATTERN}` };

export const STORE_VALUES: readonly ChartValue[] = [
  {
    path: "daemonset.s3AccessKey",
    variable: "S3_ACCESS_KEY",
    fallback: "XXX",
    about: "Static access key. XXX or empty: none (IRSA, Pod Identity, node role).",
  },
  {
    path: "daemonset.s3Secret",
    variable: "S3_SECRET",
    fallback: "XXX",
    about: "The secret that belongs to s3AccessKey. XXX or empty: none.",
  },
  {
    path: "daemonset.s3BucketName",
    variable: "S3_BUCKET_NAME",
    fallback: "XXX",
    schema: { type: "string", pattern: "^[^/ ]*$", not: { pattern: "^arn:" } },
    about: "The bucket's name alone: no ARN, s3:// or folder. XXX or empty: not set.",
  },
  {
    path: "daemonset.s3Region",
    variable: "S3_REGION",
    fallback: "XXX",
    about:
      "A region (us-east-1), or the host name of an S3-compatible service. XXX or empty: the region is the one that the host's name tells, or the store insists on.",
  },
  {
    path: "daemonset.s3Endpoint",
    variable: "S3_ENDPOINT",
    fallback: "",
    about:
      "URL of an S3-compatible service, a VPC endpoint and the like; wins over s3Region as the address.",
  },
  {
    path: "store.url",
    variable: "STORE_URL",
    fallback: "",
    sample: "s3://sample-s3BucketName/prod",
    about:
      "Where dumps go: s3://bucket/prefix, azblob://account/container/prefix, gs://bucket/prefix, or file:///a/directory, a share mounted with extraVolumes and extraVolumeMounts. Empty: s3BucketName. docs/stores.md has each step by step.",
  },
  {
    path: "daemonset.storeUrl",
    fallback: "",
    schema: STORE_URL_OR_BLANK,
    about: "The former name of store.url, which is read where that is empty.",
  },
  {
    path: "daemonset.index",
    variable: "STORE_INDEX",
    fallback: false,
    about:
      "Write an empty object with each dump whose name tells the crash, so that lists and pages need not open dumps. Off by default, as buckets may start functions on every object.",
  },
  {
    path: "daemonset.indexPrefix",
    variable: "STORE_INDEX_PREFIX",
    fallback: "index/",
    about: "The folder of these objects; nothing else may lie there.",
  },
  {
    path: "daemonset.s3Addressing",
    variable: "S3_ADDRESSING",
    fallback: "path",
    about: "Bucket in the path (host/bucket/key) or in the host name (bucket.host/key).",
  },
  {
    path: "daemonset.s3CaBundle",
    variable: "STORE_CA_BUNDLE",
    fallback: "",
    sample: "/etc/store-ca/ca.pem",
    schema: ABSOLUTE_PATH_OR_BLANK,
    about:
      "A PEM file in the pod (mount it with extraVolumes and extraVolumeMounts) of authorities to trust too.",
  },
  {
    path: "daemonset.s3RequestChecksum",
    variable: "S3_REQUEST_CHECKSUM",
    fallback: "when_required",
    about: "when_supported also sends CRC32, which GCS, R2, OVH and older Ceph refuse.",
  },
  {
    path: "daemonset.s3ResponseChecksum",
    variable: "S3_RESPONSE_CHECKSUM",
    fallback: "when_required",
    about: "when_supported also checks what the store answers.",
  },
  {
    path: "daemonset.s3SignPayload",
    variable: "S3_SIGN_PAYLOAD",
    fallback: "auto",
    about: "Sign the bytes themselves; auto: over plain http only.",
  },
  {
    path: "daemonset.s3ConditionalWrites",
    variable: "S3_CONDITIONAL_WRITES",
    fallback: true,
    about: "Write only where no object is (If-None-Match), where the store knows how.",
  },
  {
    path: "daemonset.s3Sse",
    variable: "S3_SSE",
    fallback: "none",
    schema: { enum: ["none", "AES256", "aws:kms"] },
    about: "Server-side encryption asked for.",
  },
  {
    path: "daemonset.s3SseKmsKeyId",
    variable: "S3_SSE_KMS_KEY_ID",
    fallback: "",
    about: "The KMS key for s3Sse aws:kms; empty: the bucket's own.",
  },
  {
    path: "daemonset.s3StorageClass",
    variable: "S3_STORAGE_CLASS",
    fallback: "",
    about: "Storage class of the objects, e.g. STANDARD_IA.",
  },
  {
    path: "daemonset.s3Metadata",
    variable: "STORE_METADATA",
    fallback: true,
    about: "Put namespace, pod, container, signal, node and core_complete on each object.",
  },
  {
    path: "daemonset.s3ModulePrefix",
    variable: "STORE_MODULE_PREFIX",
    fallback: "",
    sample: "debug",
    about:
      "What stands before buildid/… in the keys of modules (composer.modules). Below it the store has debuginfod's layout.",
  },
  {
    path: "daemonset.s3ModuleDays",
    variable: "STORE_MODULE_DAYS",
    fallback: 90,
    about: "After how many days without a dump that names it `modules unused` lists a module.",
  },
  {
    path: "daemonset.s3Tags",
    variable: "STORE_TAGS",
    fallback: "",
    sample: "team=db,namespace={namespace}",
    about: "Object tags: team=db,namespace={namespace}. Needs s3:PutObjectTagging.",
  },
  {
    path: "daemonset.s3KeyTemplate",
    variable: "STORE_KEY_TEMPLATE",
    fallback: "{filename}",
    about: "The object's key, e.g. {cluster}/{namespace}/{date}/{filename}.",
  },
  {
    path: "daemonset.clusterName",
    variable: "CLUSTER_NAME",
    fallback: "",
    about: "{cluster} in s3KeyTemplate and s3Tags.",
  },
  {
    path: "daemonset.s3Timeout",
    variable: "STORE_TIMEOUT",
    fallback: 60,
    about: "Seconds that a request may take beside the time that its bytes need at s3MinSpeed.",
  },
  {
    path: "daemonset.s3MinSpeed",
    variable: "STORE_MIN_SPEED",
    fallback: 65_536,
    schema: { ...SIZE, minimum: 1024 },
    about: "Bytes a second (64Ki) below which an upload counts as stalled.",
  },
  {
    path: "daemonset.s3PartSize",
    variable: "STORE_PART_SIZE",
    fallback: S3_PART_WISHED_BYTES,
    schema: {
      ...SIZE,
      minimum: S3_PART_LIMITS.partMinBytes,
      maximum: S3_PART_LIMITS.partMaxBytes,
    },
    about:
      "Size of an upload's part, from 5Mi to 5Gi; parts grow by themselves where 1,000 would not do.",
  },
  {
    path: "daemonset.s3Concurrency",
    variable: "STORE_CONCURRENCY",
    fallback: 2,
    about: "Parts on their way at once. More need more memory (image.limit_mem).",
  },
];
