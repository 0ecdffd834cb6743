// Makes the AWS SDK's client with Bun's fetch (bodies are slices of files that never enter memory), a timeout for
// every request, the owner's CA bundle and the SDK's credential chain. Loaded only on demand. retry.ts does the
// retries, so the SDK makes one attempt.
import { S3Client } from "@aws-sdk/client-s3";
import { FetchHttpHandler } from "@smithy/fetch-http-handler";
import type { StoreSettings } from "../../config/store-settings.ts";
import type { S3Endpoint } from "./s3-endpoint.ts";
import { StoreError } from "../store-error.ts";
import { tlsOptions } from "../tls-options.ts";

/**
 * The completion of an upload gets this many times STORE_TIMEOUT: by AWS's documentation it "can take several minutes".
 */
const COMPLETE_PATIENCE = 5;

const CHECKSUM = {
  when_required: "WHEN_REQUIRED",
  when_supported: "WHEN_SUPPORTED",
} as const;

/**
 * Makes the client. `onAnswer` gets each answer's headers. Throws AppError "configuration" for a CA bundle that cannot
 * be read.
 */
export function createS3Client(
  settings: StoreSettings,
  endpoint: S3Endpoint,
  onAnswer: (answer: Response) => void,
): S3Client {
  const fetchOptions = tlsOptions(settings.STORE_CA_BUNDLE);
  const customFetch = Object.assign(
    async (input: string | URL | Request) => {
      const request = input instanceof Request ? input : new Request(input.toString());
      const answer = await fetchInTime(request, settings, fetchOptions);
      onAnswer(answer);
      return answer;
    },
    { preconnect: fetch.preconnect },
  );
  const client = new S3Client({
    ...(endpoint.url === undefined ? {} : { endpoint: endpoint.url }),
    ...(endpoint.region === undefined ? {} : { region: endpoint.region }),
    ...staticCredentials(settings),
    forcePathStyle: endpoint.forcePathStyle,
    maxAttempts: 1,
    requestChecksumCalculation: CHECKSUM[settings.S3_REQUEST_CHECKSUM],
    responseChecksumValidation: CHECKSUM[settings.S3_RESPONSE_CHECKSUM],
    requestHandler: new FetchHttpHandler({ customFetch }),
  });
  presetPayloadHashes(client);
  return client;
}

/** For each body that is to be signed, its SHA-256 in hex. */
const payloadHashes = new WeakMap<object, string>();

/** Makes the client sign a request with this body's hash; without that it signs UNSIGNED-PAYLOAD for such a body. */
export function signPayload(body: object, sha256Hex: string): void {
  payloadHashes.set(body, sha256Hex);
}

function presetPayloadHashes(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      // The signer takes the hash from this header (getPayloadHash in @smithy/signature-v4).
      const { request } = args as { request?: { headers: Record<string, string>; body?: unknown } };
      const body = request?.body;
      const hash = typeof body === "object" && body !== null ? payloadHashes.get(body) : undefined;
      if (request !== undefined && hash !== undefined)
        request.headers["x-amz-content-sha256"] = hash;
      return next(args);
    },
    { step: "build", name: "presetPayloadHashes" },
  );
}

/** Ends the whole exchange in time, the reading of the answer included, so that a silent network costs one timeout. */
async function fetchInTime(
  request: Request,
  { STORE_TIMEOUT, STORE_MIN_SPEED }: StoreSettings,
  options: BunFetchRequestInit,
): Promise<Response> {
  const sentBytes = Number(request.headers.get("content-length") ?? 0);
  const completing = request.method === "POST" && /[?&]uploadId=/.test(request.url);
  const answerMs = STORE_TIMEOUT * 1000 * (completing ? COMPLETE_PATIENCE : 1);
  const limitMs = answerMs + (sentBytes / STORE_MIN_SPEED) * 1000;
  const expiry = AbortSignal.timeout(Math.ceil(limitMs));
  const answer = fetch(request, {
    ...options,
    redirect: "manual",
    signal: AbortSignal.any([request.signal, expiry]),
  });
  return answer.catch((error: unknown) => {
    if (expiry.aborted && !request.signal.aborted)
      throw new StoreError("timeout", `no answer within ${Math.ceil(limitMs / 1000)} s`, {
        hint: "STORE_TIMEOUT and STORE_MIN_SPEED say how long a request may take",
        cause: error,
      });
    throw error;
  });
}

/** Returns the static keys, unless the pod has a role: the ancestor took the role then, whatever the keys were. */
function staticCredentials({
  S3_ACCESS_KEY,
  S3_SECRET,
  AWS_WEB_IDENTITY_TOKEN_FILE,
}: StoreSettings) {
  if (S3_ACCESS_KEY === "" || AWS_WEB_IDENTITY_TOKEN_FILE !== "") return {};
  return { credentials: { accessKeyId: S3_ACCESS_KEY, secretAccessKey: S3_SECRET } };
}
