// The address of an S3 store: the values of S3_ENDPOINT and S3_REGION, and the signing region in a host's name. The
// forms come from the providers' own lists of endpoints.

/**
 * Parses a host's name, `host:port` or a URL into an http(s) URL; undefined for any other text, and for a URL with a
 * password.
 */
export function parseS3Address(value: string): URL | undefined {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `https://${value}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const isPlain =
    url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  return /^https?:$/.test(url.protocol) && isPlain ? url : undefined;
}

/**
 * Returns whether S3_REGION names a host instead of a region, which a dot, a colon or a slash shows (docs/contract.md,
 * section 4).
 */
export function isS3Host(region: string): boolean {
  return /[.:/]/.test(region);
}

/**
 * Returns whether a text may be a region's name. A store's answer may name one too, and the client puts it into a
 * header.
 */
export function isRegionName(name: string): boolean {
  return /^[a-z0-9][a-z0-9_-]{0,62}$/i.test(name);
}

/** Patterns whose first group is the region. A bucket's name may stand before the match (virtual hosts). */
const NAMED_REGION: readonly RegExp[] = [
  // AWS: s3.R, s3-R, s3.dualstack.R, s3-fips.R, access points, VPC endpoints (vpce-….s3.R.vpce); China, EU sovereign.
  /(?:^|\.)s3(?:-fips|-accesspoint|-accesspoint-fips)?(?:\.dualstack)?[.-]([a-z]{2,}(?:-[a-z]+)+-\d+)(?:\.vpce)?\.amazonaws\.(?:com|com\.cn|eu)$/,
  /(?:^|\.)s3\.([a-z0-9-]+)\.wasabisys\.com$/,
  /(?:^|\.)s3\.([a-z0-9-]+)\.backblazeb2\.com$/,
  /(?:^|\.)s3\.([a-z0-9-]+)\.scw\.cloud$/,
  /(?:^|\.)s3\.([a-z0-9-]+)\.(?:(?:io|perf)\.)?cloud\.ovh\.(?:net|us)$/,
  /(?:^|\.)s3\.(?:private\.|direct\.)?([a-z0-9-]+)\.cloud-object-storage\.appdomain\.cloud$/,
  /(?:^|\.)([a-z]+\d+)\.digitaloceanspaces\.com$/,
  /(?:^|\.)([a-z]{2}-[a-z]+-\d+)\.linodeobjects\.com$/,
  /(?:^|\.)sos-([a-z]{2}-[a-z]+-\d+)\.exo\.io$/,
  /(?:^|\.)([a-z]+\d+)\.your-objectstorage\.com$/,
  /(?:^|\.)([a-z]+\d+)\.vultrobjects\.com$/,
  /(?:^|\.)compat\.objectstorage\.([a-z]+-[a-z]+-\d+)\.(?:oraclecloud|oci\.customer-oci)\.com$/,
  /(?:^|\.)cos\.([a-z]+-[a-z0-9-]+)\.myqcloud\.com$/,
  /(?:^|\.)obs\.([a-z]+-[a-z0-9-]+)\.myhuaweicloud\.(?:com|eu)$/,
  /(?:^|\.)oos\.([a-z]+-[a-z]+-\d+)\.outscale\.com$/,
  /(?:^|\.)([a-z]{2}-\d{3})\.s3\.synologyc2\.net$/,
];

/** Hosts that have one region, which is not in their names. */
const ONE_REGION: readonly [RegExp, string][] = [
  [/(?:^|\.)s3(?:-external-1)?\.amazonaws\.com$/, "us-east-1"],
  [/(?:^|\.)s3\.wasabisys\.com$/, "us-east-1"],
  [/\.r2\.cloudflarestorage\.com$/, "auto"],
];

/** Returns the region for which requests to a host are signed; undefined where its name does not tell. */
export function regionOfHost(hostname: string): string | undefined {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  for (const pattern of NAMED_REGION) {
    const region = pattern.exec(host)?.[1];
    if (region !== undefined) return region;
  }
  return ONE_REGION.find(([pattern]) => pattern.test(host))?.[1];
}
