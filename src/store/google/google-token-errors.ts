// Why no token could be had, in one sentence each.
import { StoreError } from "../store-error.ts";

/** Who gives tokens. */
export interface Issuer {
  kind: "metadata" | "key" | "person" | "federation" | "impersonation" | "subject";
  /** Its address, or how it is called. */
  address: string;
  /** What to check where it is out of reach. */
  hint: string;
}

const HINTS: Readonly<Record<Issuer["kind"], string>> = {
  metadata:
    "give the node pool a service account; on GKE annotate the ServiceAccount with iam.gke.io/gcp-service-account and let it be used (roles/iam.workloadIdentityUser)",
  key: "make a new key for the service account, and name its file in GOOGLE_APPLICATION_CREDENTIALS",
  person: "sign in again: gcloud auth application-default login",
  federation:
    "check the pool and the provider in GOOGLE_APPLICATION_CREDENTIALS (audience), and that the provider trusts the token's issuer",
  impersonation:
    "the federated identity needs roles/iam.workloadIdentityUser on the service account",
  subject: "check credential_source in GOOGLE_APPLICATION_CREDENTIALS",
};

/** Explains a refusal. */
export function explainIssuer(issuer: Issuer, status: number, body: string): StoreError {
  const { kind, address } = issuer;
  if (status === 429) return new StoreError("throttled", `${address} asks to slow down`);
  if (status >= 500) return new StoreError("server", `${address} failed (${status})`);
  if (/short-lived token|iat and exp|reasonable timeframe/i.test(body))
    return new StoreError("credentials", `${address} finds the request's time wrong`, {
      hint: "synchronise this node's clock",
    });
  if (/account not found/i.test(body))
    return new StoreError("credentials", `${address} does not know the service account`, {
      hint: HINTS[kind],
    });
  return new StoreError("credentials", `${address} gives no token (${status})`, {
    hint: HINTS[kind],
  });
}
