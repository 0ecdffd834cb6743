// Finds the address and the signing region that S3_REGION, S3_ENDPOINT and AWS_REGION mean (docs/contract.md, section
// 4).
import { AppError } from "../../model/app-error.ts";
import { isS3Host, parseS3Address, regionOfHost } from "../../model/s3-address.ts";
import type { StoreSettings } from "../../config/store-settings.ts";

/** Where to send requests, and for which region to sign them. */
export interface S3Endpoint {
  /** The address; undefined for AWS's own address of the region. */
  url: string | undefined;
  /** The region; undefined for the profile's, which the SDK reads. */
  region: string | undefined;
  /** The region in the host's name, where it has one. */
  hostRegion: string | undefined;
  forcePathStyle: boolean;
  bucket: string;
}

/** The region for S3-compatible services that ignore it. */
const ANY_REGION = "us-east-1";

type Chosen = Pick<
  StoreSettings,
  "S3_REGION" | "S3_ENDPOINT" | "S3_BUCKET_NAME" | "S3_ADDRESSING" | "AWS_REGION"
>;

/**
 * Plans the endpoint. The address is S3_ENDPOINT, else an S3_REGION that is a host. The region is S3_REGION's, else the
 * one in the host's name, else AWS_REGION. Throws AppError "configuration" where there is none.
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
  // The settings' table accepts no other address.
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
