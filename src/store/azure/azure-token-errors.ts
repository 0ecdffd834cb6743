// Why no token could be had, in one sentence each. Codes: "Microsoft Entra authentication and authorization error
// codes"; "How to use managed identities to acquire an access token", error handling.
import type { StoreSettings } from "../../config/store-settings.ts";
import { parseRetryAfter } from "../retry-after.ts";
import { StoreError } from "../store-error.ts";

interface Reason {
  message: (settings: StoreSettings) => string;
  hint: string;
}

const ENTRA: Readonly<Record<string, Reason>> = {
  AADSTS700016: {
    message: ({ AZURE_CLIENT_ID, AZURE_TENANT_ID }) =>
      `the tenant ${AZURE_TENANT_ID} has no identity ${AZURE_CLIENT_ID}`,
    hint: "check AZURE_CLIENT_ID and AZURE_TENANT_ID (the ServiceAccount's azure.workload.identity annotations)",
  },
  AADSTS90002: {
    message: ({ AZURE_TENANT_ID, AZURE_AUTHORITY_HOST }) =>
      `${AZURE_AUTHORITY_HOST} has no tenant ${AZURE_TENANT_ID}`,
    hint: "check AZURE_TENANT_ID, and AZURE_AUTHORITY_HOST for a sovereign cloud",
  },
  AADSTS700024: {
    message: () => "the Kubernetes token is over, or not valid yet",
    hint: "synchronise this node's clock; is the token's volume still mounted?",
  },
};
const NO_FEDERATION: Reason = {
  message: ({ AZURE_CLIENT_ID }) =>
    `no federated credential of ${AZURE_CLIENT_ID} fits this ServiceAccount`,
  hint: "the identity needs one with the cluster's issuer, the subject system:serviceaccount:NAMESPACE:NAME and the audience api://AzureADTokenExchange",
};
const FEDERATION_CODES = ["AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213"];

/** Explains Entra ID's refusal of a workload identity. */
export function explainEntra(status: number, body: string, settings: StoreSettings): StoreError {
  const address = settings.AZURE_AUTHORITY_HOST;
  if (status === 429) return new StoreError("throttled", `${address} asks to slow down`);
  if (status >= 500) return new StoreError("server", `${address} failed (${status})`);
  const code = /AADSTS\d+/.exec(body)?.[0] ?? "";
  const reason = FEDERATION_CODES.includes(code) ? NO_FEDERATION : ENTRA[code];
  const told = code === "" ? String(status) : code;
  if (reason === undefined)
    return new StoreError("credentials", `${address} gives no token (${told})`, {
      hint: "see https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
    });
  return new StoreError("credentials", `${reason.message(settings)} (${told})`, {
    hint: reason.hint,
  });
}

/** Explains the metadata service's refusal. */
export function explainImds(status: number, headers: Headers, body: string): StoreError {
  const retryAfterMs = parseRetryAfter(headers.get("retry-after") ?? undefined);
  const name = "the instance metadata service";
  // 410 while it is updated; 404 too.
  if (status === 429 || status === 404 || status === 410)
    return new StoreError("throttled", `${name} asks to come again (${status})`, { retryAfterMs });
  if (status >= 500) return new StoreError("server", `${name} failed (${status})`);
  const isMissing = /Identity not found|invalid_request/.test(body);
  return new StoreError(
    "credentials",
    isMissing
      ? `the node has no such managed identity (${status})`
      : `${name} gives no token (${status})`,
    {
      hint: "give the node pool a managed identity, and name one of several in AZURE_CLIENT_ID; on AKS use workload identity (pod label azure.workload.identity/use)",
    },
  );
}
