// Small local endpoints that speak the protocols by which AWS workloads get credentials, and hand out real
// sessions of the S3 server: STS AssumeRoleWithWebIdentity (IRSA), the container credentials endpoint (EKS
// Pod Identity) and the instance metadata service, version 2 (node role). A request that does not keep to
// the protocol is refused.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { S3Server } from "./radosgw.ts";
import { makeSession, type Session } from "./sts-sessions.ts";

export type CredentialSource = "irsa" | "pod-identity" | "imds";

export interface CredentialEndpoints {
  /** The environment that points the AWS SDK at one of them. */
  variables(source: CredentialSource): Record<string, string>;
  /** Sessions handed out so far. */
  issued(): number;
  stop(): void;
}

export interface Lifetimes {
  /** Until the server refuses the session. */
  realSeconds: number;
  /** What the endpoint says it is. */
  claimedSeconds: number;
}

const TOKEN = "token-of-the-service-account";
const METADATA_TOKEN = "token-of-the-metadata-service";
const ROLE = "arn:aws:iam::123456789012:role/uploader";

export function startCredentialEndpoints(
  server: S3Server,
  folder: string,
  { realSeconds, claimedSeconds }: Lifetimes,
): CredentialEndpoints {
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, TOKEN);
  let issued = 0;
  const issue = async (): Promise<Session & { expiration: string }> => {
    const session = await makeSession(server, realSeconds);
    issued++;
    return { ...session, expiration: new Date(Date.now() + claimedSeconds * 1000).toISOString() };
  };
  const json = async (extra: object = {}) => {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await issue();
    return Response.json({
      ...extra,
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: expiration,
    });
  };
  const listener = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    routes: {
      "/sts": { POST: async (request) => stsAnswer(await request.formData(), issue) },
      "/sts/": { POST: async (request) => stsAnswer(await request.formData(), issue) },
      "/v1/credentials": (request) =>
        request.headers.get("authorization") === TOKEN ? json() : refuse(401),
      "/latest/api/token": {
        PUT: (request) =>
          request.headers.has("x-aws-ec2-metadata-token-ttl-seconds")
            ? new Response(METADATA_TOKEN, {
                headers: { "x-aws-ec2-metadata-token-ttl-seconds": "21600" },
              })
            : refuse(400),
      },
      "/latest/meta-data/iam/security-credentials/": (request) =>
        knowsToken(request) ? new Response("uploader") : refuse(401),
      "/latest/meta-data/iam/security-credentials/uploader": (request) =>
        knowsToken(request) ? json({ Code: "Success", Type: "AWS-HMAC" }) : refuse(401),
    },
    fetch: () => refuse(404),
  });
  const url = `http://127.0.0.1:${listener.port}`;
  const byName: Record<CredentialSource, Record<string, string>> = {
    irsa: {
      AWS_ROLE_ARN: ROLE,
      AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
      AWS_ENDPOINT_URL_STS: `${url}/sts`,
      AWS_REGION: "us-east-1",
    },
    "pod-identity": {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
    },
    imds: { AWS_EC2_METADATA_SERVICE_ENDPOINT: url },
  };
  return {
    variables: (source) => byName[source],
    issued: () => issued,
    stop: () => void listener.stop(true),
  };
}

function knowsToken(request: Request): boolean {
  return request.headers.get("x-aws-ec2-metadata-token") === METADATA_TOKEN;
}

function refuse(status: number): Response {
  return new Response("refused", { status });
}

async function stsAnswer(
  form: Awaited<ReturnType<Request["formData"]>>,
  issue: () => Promise<Session & { expiration: string }>,
): Promise<Response> {
  const right =
    form.get("Action") === "AssumeRoleWithWebIdentity" &&
    form.get("RoleArn") === ROLE &&
    form.get("WebIdentityToken") === TOKEN;
  if (!right) return refuse(400);
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = await issue();
  return new Response(
    `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <Credentials>
      <AccessKeyId>${accessKeyId}</AccessKeyId>
      <SecretAccessKey>${secretAccessKey}</SecretAccessKey>
      <SessionToken>${sessionToken}</SessionToken>
      <Expiration>${expiration}</Expiration>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`,
    { headers: { "content-type": "text/xml" } },
  );
}
