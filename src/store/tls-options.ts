// The authorities that connections to the store trust beside the public ones.
import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { AppError } from "../model/app-error.ts";

/** Makes fetch's options of STORE_CA_BUNDLE. Throws AppError "configuration" where the file cannot be read. */
export function tlsOptions(caBundle: string): BunFetchRequestInit {
  if (caBundle === "") return {};
  try {
    return { tls: { ca: [...rootCertificates, readFileSync(caBundle, "utf8")] } };
  } catch (cause) {
    throw new AppError("configuration", `cannot read STORE_CA_BUNDLE ${caBundle}`, { cause });
  }
}
