// Which address and which signing region S3_REGION and S3_ENDPOINT mean (contract, section 4).
import { AppError } from "../../model/app-error.ts";
import type { StoreSettings } from "../../config/store-settings.ts";

export interface S3Endpoint {
  /** Undefined: AWS's own address of the region. */
  url: string | undefined;
  /** Undefined: AWS_REGION or the profile's, which the SDK reads. */
  region: string | undefined;
  forcePathStyle: boolean;
  bucket: string;
}

/** What S3-compatible services take where they do not care about the region. */
const ANY_REGION = "us-east-1";

type Chosen = Pick<StoreSettings, "S3_REGION" | "S3_ENDPOINT" | "S3_BUCKET_NAME" | "S3_ADDRESSING">;

/**
 * S3_ENDPOINT wins; else an S3_REGION with a dot, a colon or a scheme is a host name, and without one a
 * region. Throws AppError "configuration".
 */
export function planS3Endpoint(settings: Chosen): S3Endpoint {
  const bucket = settings.S3_BUCKET_NAME;
  if (bucket === "")
    throw new AppError("configuration", "S3_BUCKET_NAME is not set", {
      hint: "name the bucket, or set STORE_URL to file:///a/directory",
    });
  const shared = { bucket, forcePathStyle: settings.S3_ADDRESSING === "path" };
  const regionIsHost = /[.:/]/.test(settings.S3_REGION);
  if (settings.S3_ENDPOINT !== "") {
    const region = regionIsHost ? "" : settings.S3_REGION;
    return endpointAt("S3_ENDPOINT", settings.S3_ENDPOINT, region, shared);
  }
  if (regionIsHost) return endpointAt("S3_REGION", settings.S3_REGION, "", shared);
  return { url: undefined, region: settings.S3_REGION || undefined, ...shared };
}

function endpointAt(
  variable: string,
  value: string,
  region: string,
  shared: Pick<S3Endpoint, "bucket" | "forcePathStyle">,
): S3Endpoint {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `https://${value}`;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new AppError("configuration", `${variable} is no address: ${JSON.stringify(value)}`, {
      hint: "expected a host name or https://host[:port]",
    });
  const url = new URL(text);
  if (url.username !== "" || url.password !== "")
    throw new AppError("configuration", `${variable} must not hold a password`);
  return {
    url: `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, "")}`,
    region: region || awsRegionIn(url.hostname) || ANY_REGION,
    ...shared,
  };
}

/** `s3.eu-west-1.amazonaws.com` signs for eu-west-1 and nothing else. */
function awsRegionIn(hostname: string): string | undefined {
  return /(?:^|\.)s3[.-]([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?$/.exec(hostname)?.[1];
}
