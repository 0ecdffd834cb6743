// Environment variables that look like ours and are not: most likely a misspelt setting.

/** What Kubernetes adds to every pod where a Service is called "s3" (or "comp"). */
const SERVICE_LINK = /_SERVICE_(HOST|PORT(_.*)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_.*)?)?$/;

export function findUnknownVariables(
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): string[] {
  const names = new Set(known);
  return Object.keys(environment)
    .filter((name) => /^(COMP|S3)_/.test(name) && !names.has(name) && !SERVICE_LINK.test(name))
    .sort();
}
