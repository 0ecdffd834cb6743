// Turns what fetch throws before an answer came into a StoreError with one clear sentence. The codes are Bun's own
// (`ConnectionRefused`) and OpenSSL's.
import { errnoOf } from "../model/app-error.ts";
import { StoreError } from "./store-error.ts";

/** Explains why `address` gave no answer. `hint` says what to check where it is out of reach. */
export function explainNetworkError(error: unknown, address: string, hint: string): StoreError {
  const code = errnoOf(error) ?? "";
  const message = error instanceof Error ? error.message : String(error);
  if (/CERT|SIGNATURE|SELF_SIGNED|ISSUER/i.test(code) || /certificate/i.test(message))
    return new StoreError("unreachable", `${address} shows a certificate we do not trust`, {
      hint: "put the authority that signed it into a PEM file and name it in STORE_CA_BUNDLE",
      cause: error,
    });
  return new StoreError("unreachable", `${address} cannot be reached`, { hint, cause: error });
}
