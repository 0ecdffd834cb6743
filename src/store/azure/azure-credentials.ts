// How a request shows who it comes from: the account's key, a shared access signature, or a token.
import type { StoreSettings } from "../../config/store-settings.ts";
import { openAzureTokens } from "./azure-token.ts";
import { sharedKeyHeader } from "./azure-shared-key.ts";
import type { AzureAccount } from "./azure-account.ts";

/** The kinds, for messages. */
export type CredentialKind = "key" | "signature" | "token";

/** Credentials for requests. */
export interface AzureCredentials {
  kind: CredentialKind;
  /** Adds what shows the sender to a request's address or headers. Throws StoreError where there is no token. */
  apply(
    request: { method: string; url: URL; headers: Record<string, string> },
    signal: AbortSignal,
  ): Promise<void>;
  /** Drops what the store refused. Returns false where nothing else could be had. */
  renew(): boolean;
}

/** Chooses the credentials: the account's key, else a signature, else a token. */
export function chooseCredentials(
  settings: StoreSettings,
  account: AzureAccount,
): AzureCredentials {
  if (account.key !== "")
    return {
      kind: "key",
      async apply({ method, url, headers }) {
        headers["authorization"] = sharedKeyHeader(account, method, url, headers);
      },
      renew: () => false,
    };
  if (account.sas !== "")
    return {
      kind: "signature",
      async apply({ url }) {
        for (const [name, value] of new URLSearchParams(account.sas))
          url.searchParams.set(name, value);
      },
      renew: () => false,
    };
  const tokens = openAzureTokens(settings);
  return {
    kind: "token",
    async apply({ headers }, signal) {
      headers["authorization"] = `Bearer ${await tokens.get(signal)}`;
    },
    renew() {
      tokens.forget();
      return true;
    },
  };
}
