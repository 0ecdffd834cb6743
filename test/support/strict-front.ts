// A front before a real S3 server that refuses what a pickier store would: each request is shown to the test's rule
// first, and goes on unchanged where that has nothing against it.
export interface StrictFront {
  endpoint: string;
  /** Methods and targets of what was refused. */
  refused: string[];
  stop(): Promise<void>;
}

export function startStrictFront(
  upstream: string,
  rule: (request: Request) => Response | undefined,
): StrictFront {
  const refused: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const body = await request.bytes();
      const refusal = rule(request);
      if (refusal !== undefined) {
        refused.push(`${request.method} ${pathname}${search}`);
        return refusal;
      }
      const answer = await fetch(new URL(pathname + search, upstream), {
        method: request.method,
        headers: request.headers,
        body: body.length === 0 ? null : body,
        decompress: false,
      });
      return new Response(await answer.bytes(), { status: answer.status, headers: answer.headers });
    },
  });
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    refused,
    stop: () => server.stop(true),
  };
}

/** The region in a request's signature (AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/s3/aws4_request). */
export function signedRegion(headers: Headers): string | undefined {
  return /Credential=[^/]+\/\d+\/([^/]+)\/s3\//.exec(headers.get("authorization") ?? "")?.[1];
}

/** How stores word that a request is signed for another region than theirs; HEAD's answers have no body. */
export const REGION_REFUSALS = {
  "301 and a header (AWS)": (region: string) =>
    wrongRegion(301, "PermanentRedirect", "", { "x-amz-bucket-region": region }),
  "400 and a header (AWS)": (region: string) =>
    wrongRegion(400, "AuthorizationHeaderMalformed", "", { "x-amz-bucket-region": region }),
  "400 and its body (MinIO, Garage)": (region: string) =>
    wrongRegion(400, "AuthorizationHeaderMalformed", `<Region>${region}</Region>`, {}),
  "301 and an endpoint in its body": (region: string) =>
    wrongRegion(301, "PermanentRedirect", `<Endpoint>b.s3.${region}.amazonaws.com</Endpoint>`, {}),
} as const;

function wrongRegion(
  status: number,
  code: string,
  elements: string,
  headers: Record<string, string>,
) {
  const body = `<Error><Code>${code}</Code><Message>wrong region</Message>${elements}</Error>`;
  return (method: string) =>
    new Response(method === "HEAD" ? null : body, {
      status,
      headers: { ...headers, "content-type": "application/xml" },
    });
}
