// Microsoft's token services in this process, by their protocols: Entra ID's token endpoint for a workload identity
// (a signed assertion for a client's secret), and a virtual machine's instance metadata service. What does not keep to
// the protocol is refused with their codes. The tokens are what Azurite looks at: issuer, audience, beginning and end.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const TENANT = "11111111-2222-3333-4444-555555555555";
export const CLIENT = "99999999-8888-7777-6666-555555555555";
const ASSERTION = "assertion-of-the-service-account";
const AUDIENCE = "https://storage.azure.com";

export interface Lifetimes {
  /** Until the store refuses the token. */
  realSeconds: number;
  /** What the service says it is. */
  claimedSeconds: number;
}

export type AzureIdentity = "workload" | "managed";

export interface AzureIdentities {
  /** The agent's variables for one of them. */
  variables(identity: AzureIdentity): Record<string, string>;
  /** The port, for those who set their own variables. */
  port: number;
  /** Tokens handed out so far. */
  issued(): number;
  stop(): void;
}

export function startAzureIdentities(
  folder: string,
  { realSeconds, claimedSeconds }: Lifetimes,
  hostname = "127.0.0.1",
): AzureIdentities {
  const tokenFile = join(folder, "azure-identity-token");
  writeFileSync(tokenFile, ASSERTION);
  let issued = 0;
  const token = () => {
    issued++;
    const now = Math.floor(Date.now() / 1000);
    return signed({
      aud: AUDIENCE,
      iss: `https://sts.windows.net/${TENANT}/`,
      nbf: now - 60,
      iat: now,
      exp: now + realSeconds,
    });
  };
  const server = Bun.serve({
    port: 0,
    hostname,
    routes: {
      "/:tenant/oauth2/v2.0/token": {
        POST: async (request) => {
          if (request.params.tenant !== TENANT) return entra(400, "AADSTS90002");
          const form = new URLSearchParams(await request.text());
          if (form.get("client_id") !== CLIENT) return entra(400, "AADSTS700016");
          const fits =
            form.get("grant_type") === "client_credentials" &&
            form.get("client_assertion_type") ===
              "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" &&
            form.get("scope") === `${AUDIENCE}/.default`;
          if (!fits) return entra(400, "AADSTS900144");
          if (form.get("client_assertion") !== ASSERTION) return entra(400, "AADSTS700213");
          return Response.json({
            token_type: "Bearer",
            expires_in: claimedSeconds,
            access_token: token(),
          });
        },
      },
      "/metadata/identity/oauth2/token": (request) => {
        const query = new URL(request.url).searchParams;
        if (request.headers.get("metadata") !== "true") return imds("bad_request_102");
        if (query.get("api-version") !== "2018-02-01") return imds("bad_request_102");
        if (query.get("resource") !== `${AUDIENCE}/`) return imds("invalid_resource");
        if (query.has("client_id") && query.get("client_id") !== CLIENT)
          return imds("invalid_request");
        return Response.json({
          access_token: token(),
          expires_in: String(claimedSeconds),
          token_type: "Bearer",
        });
      },
    },
    fetch: () => new Response("no such path", { status: 404 }),
  });
  const { port = 0 } = server;
  const url = `http://127.0.0.1:${port}`;
  const byName: Record<AzureIdentity, Record<string, string>> = {
    workload: {
      AZURE_AUTHORITY_HOST: url,
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: CLIENT,
      AZURE_FEDERATED_TOKEN_FILE: tokenFile,
    },
    managed: { AZURE_POD_IDENTITY_AUTHORITY_HOST: url },
  };
  return {
    variables: (identity) => byName[identity],
    port,
    issued: () => issued,
    stop: () => void server.stop(true),
  };
}

function entra(status: number, code: string): Response {
  const text = `${code}: refused. Trace ID: 0`;
  return Response.json({ error: "invalid_request", error_description: text }, { status });
}

function imds(error: string): Response {
  return Response.json({ error, error_description: "Identity not found" }, { status: 400 });
}

/** Azurite reads a token's claims and does not check its signature. */
function signed(claims: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  return `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}.c2lnbmF0dXJl`;
}
