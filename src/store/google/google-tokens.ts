// Bearer tokens for Cloud Storage: from the metadata server (a node's service account, or GKE's Workload Identity), or
// by the file that GOOGLE_APPLICATION_CREDENTIALS names.
import { createSign } from "node:crypto";
import { readFile } from "node:fs/promises";
import * as v from "valibot";
import type { StoreSettings } from "../../config/store-settings.ts";
import { AppError } from "../../model/app-error.ts";
import { keepToken, type IssuedToken, type TokenSource } from "../access-token.ts";
import { StoreError } from "../store-error.ts";
import { openExchange, type HttpRequest } from "../store-http.ts";
import {
  readCredentialFile,
  type ExternalAccount,
  type Person,
  type ServiceAccount,
} from "./google-credential-file.ts";
import { explainIssuer, type Issuer } from "./google-token-errors.ts";

const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";
/** For the exchange whose token only impersonates a service account. */
const WIDE_SCOPE = "https://www.googleapis.com/auth/cloud-platform";
const METADATA_HOST = "metadata.google.internal";
const LIFETIME_SECONDS = 3600;

const tokenSchema = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  expires_in: v.optional(v.pipe(v.number(), v.minValue(1)), LIFETIME_SECONDS),
});
const impersonatedSchema = v.object({
  accessToken: v.pipe(v.string(), v.minLength(1)),
  expireTime: v.string(),
});

type Ask = (issuer: Issuer, request: HttpRequest, signal: AbortSignal) => Promise<string>;

/**
 * Keeps tokens; undefined where an emulator is asked without credentials. Throws AppError "configuration" for a file
 * that is none.
 */
export function openGoogleTokens(settings: StoreSettings): TokenSource | undefined {
  const { GOOGLE_APPLICATION_CREDENTIALS: path, GCE_METADATA_HOST: host } = settings;
  const ask = openIssuers(settings);
  if (path !== "") return keepToken(byFile(path, ask));
  if (settings.STORAGE_EMULATOR_HOST !== "" && host === "") return undefined;
  return keepToken(byMetadata(host || METADATA_HOST, ask));
}

/** Asks an issuer and explains what it refuses. */
function openIssuers(settings: StoreSettings): Ask {
  return async (issuer, request, signal) => {
    const { address, hint } = issuer;
    const exchange = openExchange(settings, { address, hint });
    const { status, body } = await exchange(request, signal);
    if (status !== 200) throw explainIssuer(issuer, status, body.toString());
    return body.toString();
  };
}

function byMetadata(host: string, ask: Ask) {
  const issuer: Issuer = {
    kind: "metadata",
    address: `the metadata server (${host})`,
    hint: "off Google Cloud name a key file, or one of a workload identity federation, in GOOGLE_APPLICATION_CREDENTIALS",
  };
  const path = "computeMetadata/v1/instance/service-accounts/default/token";
  return async (signal: AbortSignal): Promise<IssuedToken> => {
    const text = await ask(
      issuer,
      {
        method: "GET",
        url: `http://${host}/${path}`,
        headers: { "metadata-flavor": "Google" },
        isLocal: true,
      },
      signal,
    );
    return parseToken(issuer, text);
  };
}

function byFile(path: string, ask: Ask) {
  const file = readCredentialFile(path);
  switch (file.type) {
    case "service_account":
      return byKey(file, ask);
    case "external_account":
      return byFederation(file, ask);
    case "authorized_user":
      return bySignIn(file, ask);
  }
}

function byKey(account: ServiceAccount, ask: Ask) {
  const { token_uri, client_email, private_key } = account;
  const issuer = issuerAt(token_uri, "key");
  return async (signal: AbortSignal): Promise<IssuedToken> => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const header = {
      alg: "RS256",
      typ: "JWT",
      ...(account.private_key_id === undefined ? {} : { kid: account.private_key_id }),
    };
    const claims = {
      iss: client_email,
      scope: SCOPE,
      aud: token_uri,
      iat: nowSeconds,
      exp: nowSeconds + LIFETIME_SECONDS,
    };
    const assertion = signJwt(header, claims, private_key);
    const grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    return parseToken(
      issuer,
      await ask(issuer, form(token_uri, { grant_type, assertion }), signal),
    );
  };
}

function signJwt(header: object, claims: object, privateKey: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const text = `${encode(header)}.${encode(claims)}`;
  try {
    return `${text}.${createSign("RSA-SHA256").update(text).sign(privateKey, "base64url")}`;
  } catch {
    throw new AppError("configuration", "the private_key of the service account's file is none");
  }
}

function bySignIn(person: Person, ask: Ask) {
  const address = "https://oauth2.googleapis.com/token";
  const issuer = issuerAt(address, "person");
  const { client_id, client_secret, refresh_token } = person;
  const fields = { grant_type: "refresh_token", client_id, client_secret, refresh_token };
  return async (signal: AbortSignal): Promise<IssuedToken> =>
    parseToken(issuer, await ask(issuer, form(address, fields), signal));
}

function byFederation(account: ExternalAccount, ask: Ask) {
  const { token_url, audience, subject_token_type } = account;
  const impersonation = account.service_account_impersonation_url;
  const issuer = issuerAt(token_url, "federation");
  return async (signal: AbortSignal): Promise<IssuedToken> => {
    const fields = {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience,
      scope: impersonation === undefined ? SCOPE : WIDE_SCOPE,
      requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
      subject_token_type,
      subject_token: await readSubject(account, ask, signal),
    };
    const federated = parseToken(issuer, await ask(issuer, form(token_url, fields), signal));
    if (impersonation === undefined) return federated;
    const to = issuerAt(impersonation, "impersonation");
    const body = JSON.stringify({ scope: [SCOPE] });
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${federated.token}`,
    };
    const text = await ask(to, { method: "POST", url: impersonation, headers, body }, signal);
    const { accessToken, expireTime } = parse(to, impersonatedSchema, text);
    const lifetimeSeconds = Math.max(1, (Date.parse(expireTime) - Date.now()) / 1000);
    return { token: accessToken, lifetimeSeconds };
  };
}

/** Reads the other issuer's token anew each time, because the kubelet replaces it before it ends. */
async function readSubject(
  { credential_source: source }: ExternalAccount,
  ask: Ask,
  signal: AbortSignal,
): Promise<string> {
  const issuer = issuerAt("file" in source ? source.file : source.url, "subject");
  const read = async () => {
    if ("file" in source) return readFile(source.file, "utf8");
    return ask(issuer, { method: "GET", url: source.url, headers: source.headers }, signal);
  };
  const text = await read().catch((cause: unknown) => {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError("credentials", `the token ${issuer.address} cannot be read`, { cause });
  });
  if (source.format.type !== "json") return text.trim();
  const field = source.format.subject_token_field_name ?? "access_token";
  const token = parse(issuer, v.record(v.string(), v.unknown()), text)[field];
  if (typeof token === "string") return token;
  throw new StoreError("credentials", `${issuer.address} has no ${field}`);
}

function issuerAt(address: string, kind: Issuer["kind"]): Issuer {
  return { kind, address, hint: "check name resolution and network policies" };
}

function form(url: string, fields: Record<string, string>): HttpRequest {
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", url, headers, body: new URLSearchParams(fields).toString() };
}

function parseToken(issuer: Issuer, text: string): IssuedToken {
  const { access_token, expires_in } = parse(issuer, tokenSchema, text);
  return { token: access_token, lifetimeSeconds: expires_in };
}

function parse<S extends v.GenericSchema>(
  { address }: Issuer,
  schema: S,
  text: string,
): v.InferOutput<S> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (parsed.success) return parsed.output;
  throw new StoreError("server", `${address} answered something else than a token`);
}
