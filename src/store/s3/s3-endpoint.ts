// Which address and which signing region S3_REGION, S3_ENDPOINT and AWS_REGION mean (docs/contract.md, section 4).
import { AppError } from "../../model/app-error.ts";
import { isS3Host, parseS3Address, regionOfHost } from "../../model/s3-address.ts";
import type { StoreSettings } from "../../config/store-settings.ts";

export interface S3Endpoint {
  /** Undefined: AWS's own address of the region. */
  url: string | undefined;
  /** Undefined: the profile's, which the SDK reads. */
  region: string | undefined;
  /** The region that the host's name tells. */
  hostRegion: string | undefined;
  forcePathStyle: boolean;
  bucket: string;
}

/** What S3-compatible services take where they do not care about the region. */
const ANY_REGION = "us-east-1";

type Chosen = Pick<
  StoreSettings,
  "S3_REGION" | "S3_ENDPOINT" | "S3_BUCKET_NAME" | "S3_ADDRESSING" | "AWS_REGION"
>;

/**
 * S3_ENDPOINT wins; else an S3_REGION that is a host. The region is the one that S3_REGION names, that the host's
 * name tells, or AWS_REGION's, in this order. Throws AppError "configuration".
 */
export function planS3Endpoint(settings: Chosen): S3Endpoint {
  const { S3_BUCKET_NAME: bucket, S3_REGION, S3_ENDPOINT, AWS_REGION } = settings;
  if (bucket === "")
    throw new AppError("configuration", "S3_BUCKET_NAME is not set", {
      hint: "name the bucket, or set STORE_URL to file:///a/directory",
    });
  const shared = { bucket, forcePathStyle: settings.S3_ADDRESSING === "path" };
  const region = isS3Host(S3_REGION) ? "" : S3_REGION;
  const address = S3_ENDPOINT || (isS3Host(S3_REGION) ? S3_REGION : "");
  if (address === "") {
    const own = region || AWS_REGION || undefined;
    return { url: undefined, region: own, hostRegion: undefined, ...shared };
  }
  // The settings' table takes nothing else.
  const url = parseS3Address(address);
  if (url === undefined) throw new AppError("configuration", `${address} is no address`);
  const hostRegion = regionOfHost(url.hostname);
  return {
    hostRegion,
    url: `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, "")}`,
    region: region || hostRegion || AWS_REGION || ANY_REGION,
    ...shared,
  };
}
