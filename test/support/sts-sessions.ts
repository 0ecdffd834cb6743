// Session credentials that end for real: radosgw's own STS gives them (AssumeRole), signed for by hand
// (SigV4, "Create a signed AWS API request"), so that neither side of the test is ours.
import { createHash, createHmac } from "node:crypto";
import { ROLE_ARN, type S3Server } from "./radosgw.ts";

export interface Session {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** When the server will refuse it. */
  expiresMs: number;
}

/** Asks for credentials of the server's role that end after so many seconds. */
export async function makeSession(
  { endpoint, accessKey, secret }: S3Server,
  seconds: number,
): Promise<Session> {
  const { host } = new URL(endpoint);
  const body = new URLSearchParams({
    Action: "AssumeRole",
    RoleArn: ROLE_ARN,
    RoleSessionName: "test",
    Version: "2011-06-15",
    DurationSeconds: String(seconds),
  }).toString();
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/us-east-1/sts/aws4_request`;
  const payloadHash = sha256(body);
  const type = "application/x-www-form-urlencoded";
  const canonical = [
    "POST\n/\n",
    `content-type:${type}\nhost:${host}\nx-amz-content-sha256:${payloadHash}\nx-amz-date:${time}\n`,
    `content-type;host;x-amz-content-sha256;x-amz-date\n${payloadHash}`,
  ].join("\n");
  let key: string | Buffer = `AWS4${secret}`;
  for (const piece of scope.split("/")) key = hmac(key, piece);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`);
  const answer = await fetch(endpoint, {
    method: "POST",
    body,
    headers: {
      "content-type": type,
      "x-amz-content-sha256": payloadHash,
      "x-amz-date": time,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKey}/${scope}, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, Signature=${signature.toString("hex")}`,
    },
  });
  const text = await answer.text();
  const field = (name: string) => {
    const found = new RegExp(`<${name}>([^<]+)</${name}>|"${name}":"([^"]+)"`).exec(text);
    if (found === null) throw new Error(`radosgw's STS gave no ${name}: ${answer.status} ${text}`);
    return found[1] ?? found[2] ?? "";
  };
  return {
    accessKeyId: field("AccessKeyId"),
    secretAccessKey: field("SecretAccessKey"),
    sessionToken: field("SessionToken"),
    expiresMs: Date.parse(field("Expiration")),
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
