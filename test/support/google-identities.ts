// Google's token services in this process, by their protocols: the metadata server, the token endpoint for a service
// account's signed assertion, and the exchange of another issuer's token with the impersonation behind it. The store of
// gcs-server.ts takes a token until its real end.
import { createVerify, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GcsOptions } from "./gcs-server.ts";
import type { Lifetimes } from "./azure-identities.ts";

export type GoogleIdentity = "metadata" | "key" | "federation";

export interface GoogleIdentities {
  /** The agent's variables for one of them. */
  variables(identity: GoogleIdentity): Record<string, string>;
  port: number;
  issued(): number;
  /** What the store asks; `missing` is a permission that the account does not have. */
  permits(missing?: string): NonNullable<GcsOptions["permits"]>;
  stop(): void;
}

const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";
const ACCOUNT = "cores@project.iam.gserviceaccount.com";
const POOL = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q";
const SUBJECT = "token-of-the-service-account";

export function startGoogleIdentities(
  folder: string,
  { realSeconds, claimedSeconds }: Lifetimes,
  hostname = "127.0.0.1",
): GoogleIdentities {
  const ends = new Map<string, number>();
  let issued = 0;
  const token = (kind: "store" | "federated" = "store") => {
    if (kind === "store") issued++;
    const text = `${kind}-${crypto.randomUUID()}`;
    ends.set(text, Date.now() + realSeconds * 1000);
    return text;
  };
  const answer = (text = token()) =>
    Response.json({ access_token: text, expires_in: claimedSeconds, token_type: "Bearer" });
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  // Known once the server listens.
  let url = "";
  const server = Bun.serve({
    port: 0,
    hostname,
    routes: {
      "/computeMetadata/v1/instance/service-accounts/default/token": (request) =>
        request.headers.get("metadata-flavor") === "Google"
          ? answer()
          : new Response("Missing Metadata-Flavor:Google header.", { status: 403 }),
      "/token": {
        POST: async (request) => {
          const form = new URLSearchParams(await request.text());
          const isGrant = form.get("grant_type") === "urn:ietf:params:oauth:grant-type:jwt-bearer";
          return isGrant && isOurs(form.get("assertion") ?? "", publicKey, `${url}/token`)
            ? answer()
            : Response.json(
                { error: "invalid_grant", error_description: "Invalid JWT Signature." },
                { status: 400 },
              );
        },
      },
      "/sts": {
        POST: async (request) => {
          const form = new URLSearchParams(await request.text());
          const fits =
            form.get("grant_type") === "urn:ietf:params:oauth:grant-type:token-exchange" &&
            form.get("audience") === POOL &&
            form.get("requested_token_type") === "urn:ietf:params:oauth:token-type:access_token" &&
            form.get("subject_token_type") === "urn:ietf:params:oauth:token-type:jwt" &&
            form.get("subject_token") === SUBJECT;
          return fits
            ? answer(token("federated"))
            : Response.json({ error: "invalid_request" }, { status: 400 });
        },
      },
      "/impersonate": {
        POST: async (request) => {
          const bearer = (request.headers.get("authorization") ?? "").replace("Bearer ", "");
          const { scope } = (await request.json()) as { scope?: unknown };
          if (!bearer.startsWith("federated-") || (ends.get(bearer) ?? 0) < Date.now())
            return Response.json({ error: { code: 403 } }, { status: 403 });
          if (!Bun.deepEquals(scope, [SCOPE])) return new Response("scope", { status: 400 });
          const expireTime = new Date(Date.now() + claimedSeconds * 1000).toISOString();
          return Response.json({ accessToken: token(), expireTime });
        },
      },
    },
    fetch: () => new Response("no such path", { status: 404 }),
  });
  const { port = 0 } = server;
  url = `http://127.0.0.1:${port}`;

  function file(name: string, content: object): Record<string, string> {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(content));
    return { GOOGLE_APPLICATION_CREDENTIALS: path };
  }

  function variables(identity: GoogleIdentity): Record<string, string> {
    switch (identity) {
      case "metadata":
        return { GCE_METADATA_HOST: `127.0.0.1:${port}` };
      case "key":
        return file("key.json", {
          type: "service_account",
          client_email: ACCOUNT,
          private_key: privateKey,
          private_key_id: "1",
          token_uri: `${url}/token`,
        });
      case "federation":
        writeFileSync(join(folder, "token"), `${SUBJECT}\n`);
        return file("federation.json", {
          type: "external_account",
          audience: POOL,
          subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
          token_url: `${url}/sts`,
          service_account_impersonation_url: `${url}/impersonate`,
          credential_source: { file: join(folder, "token") },
        });
    }
  }

  return {
    variables,
    port,
    issued: () => issued,
    permits: (missing) => (bearer, permission) => {
      if (!bearer.startsWith("store-") || (ends.get(bearer) ?? 0) < Date.now()) return "unknown";
      return permission === missing ? "forbidden" : "yes";
    },
    stop: () => void server.stop(true),
  };
}

function isOurs(assertion: string, publicKey: string, audience: string): boolean {
  const [head = "", body = "", signature = ""] = assertion.split(".");
  const verified = createVerify("RSA-SHA256")
    .update(`${head}.${body}`)
    .verify(publicKey, signature, "base64url");
  if (!verified) return false;
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
  const nowSeconds = Date.now() / 1000;
  return (
    claims["iss"] === ACCOUNT &&
    claims["aud"] === audience &&
    claims["scope"] === SCOPE &&
    Math.abs(Number(claims["iat"]) - nowSeconds) < 300 &&
    Number(claims["exp"]) - Number(claims["iat"]) <= 3600
  );
}
