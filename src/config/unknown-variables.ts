// Finds environment variables that look like the agent's and are none: most likely misspelt settings.

/** Variables that Kubernetes adds to every pod of a namespace that has a Service called "s3", "comp" or "store". */
const SERVICE_LINK = /_SERVICE_(HOST|PORT(_.*)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_.*)?)?$/;

/** Returns the names of such variables, to be reported. */
export function findUnknownVariables(
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): string[] {
  const names = new Set(known);
  return Object.keys(environment)
    .filter(
      (name) => /^(COMP|S3|STORE)_/.test(name) && !names.has(name) && !SERVICE_LINK.test(name),
    )
    .sort();
}
