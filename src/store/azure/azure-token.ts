// Bearer tokens of Microsoft Entra ID for Azure Storage: by workload identity (a Kubernetes token that stands for a
// client secret), or by the node's managed identity (the instance metadata service).
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import type { StoreSettings } from "../../config/store-settings.ts";
import { keepToken, type IssuedToken, type TokenSource } from "../access-token.ts";
import { refusePlainHttp } from "../plain-http.ts";
import { StoreError } from "../store-error.ts";
import { openExchange } from "../store-http.ts";
import { explainEntra, explainImds } from "./azure-token-errors.ts";

const AUDIENCE = "https://storage.azure.com";
const IMDS_VERSION = "2018-02-01";
const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const answerSchema = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  /** Entra ID answers a number, the metadata service digits. */
  expires_in: v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.minValue(1)),
});

/** Keeps tokens by workload identity where AZURE_FEDERATED_TOKEN_FILE is set, else by the node's identity. */
export function openAzureTokens(settings: StoreSettings): TokenSource {
  return settings.AZURE_FEDERATED_TOKEN_FILE === ""
    ? keepToken(managedIdentity(settings))
    : keepToken(workloadIdentity(settings));
}

function workloadIdentity(settings: StoreSettings) {
  const { AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_AUTHORITY_HOST } = settings;
  const file = settings.AZURE_FEDERATED_TOKEN_FILE;
  refusePlainHttp(AZURE_AUTHORITY_HOST, "AZURE_AUTHORITY_HOST");
  const exchange = openExchange(settings, {
    address: AZURE_AUTHORITY_HOST,
    hint: "check AZURE_AUTHORITY_HOST, name resolution and network policies",
  });
  return async (signal: AbortSignal): Promise<IssuedToken> => {
    if (AZURE_CLIENT_ID === "" || AZURE_TENANT_ID === "")
      throw new StoreError("credentials", "the workload identity is incomplete", {
        hint: "AZURE_CLIENT_ID and AZURE_TENANT_ID belong to AZURE_FEDERATED_TOKEN_FILE; the ServiceAccount's annotation azure.workload.identity/client-id sets them",
      });
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: AZURE_CLIENT_ID,
      client_assertion_type: JWT_BEARER,
      client_assertion: await readAssertion(file),
      scope: `${AUDIENCE}/.default`,
    });
    const { status, body } = await exchange(
      {
        method: "POST",
        url: `${AZURE_AUTHORITY_HOST}${encodeURIComponent(AZURE_TENANT_ID)}/oauth2/v2.0/token`,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: form.toString(),
      },
      signal,
    );
    if (status !== 200) throw explainEntra(status, body.toString(), settings);
    return parseToken(body.toString(), AZURE_AUTHORITY_HOST);
  };
}

/** Reads the token anew each time, because the kubelet replaces it before it ends. */
async function readAssertion(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (cause) {
    throw new StoreError("credentials", `AZURE_FEDERATED_TOKEN_FILE ${file} cannot be read`, {
      cause,
    });
  }
}

function managedIdentity(settings: StoreSettings) {
  const host = settings.AZURE_POD_IDENTITY_AUTHORITY_HOST;
  const exchange = openExchange(settings, {
    address: `the instance metadata service (${host})`,
    hint: "off Azure set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING; on AKS use workload identity",
  });
  return async (signal: AbortSignal): Promise<IssuedToken> => {
    const query = new URLSearchParams({ "api-version": IMDS_VERSION, resource: `${AUDIENCE}/` });
    // Names one of several identities of the node.
    if (settings.AZURE_CLIENT_ID !== "") query.set("client_id", settings.AZURE_CLIENT_ID);
    const { status, headers, body } = await exchange(
      {
        method: "GET",
        url: `${host}metadata/identity/oauth2/token?${query.toString()}`,
        headers: { metadata: "true" },
        isLocal: true,
      },
      signal,
    );
    if (status !== 200) throw explainImds(status, headers, body.toString());
    return parseToken(body.toString(), host);
  };
}

function parseToken(text: string, address: string): IssuedToken {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), answerSchema), text);
  if (!parsed.success)
    throw new StoreError("server", `${address} answered something else than a token`);
  return { token: parsed.output.access_token, lifetimeSeconds: parsed.output.expires_in };
}
