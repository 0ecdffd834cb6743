// An S3 endpoint that answers as a test tells it to, and remembers what it was asked: for answers that the
// real server at hand (radosgw 16) never gives, such as 412, 501 and more than one page of parts.
export interface Asked {
  method: string;
  /** Path and query. */
  target: string;
  headers: Headers;
  bytes: Uint8Array;
}

export interface ScriptedStore {
  endpoint: string;
  asked: Asked[];
  stop(): void;
}

export function startScriptedStore(answer: (asked: Asked) => Response): ScriptedStore {
  const asked: Asked[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const one: Asked = {
        method: request.method,
        target: pathname + search,
        headers: request.headers,
        bytes: await request.bytes(),
      };
      asked.push(one);
      return answer(one);
    },
  });
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    asked,
    stop: () => void server.stop(true),
  };
}

export function s3Error(
  status: number,
  code: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(`<Error><Code>${code}</Code><Message>scripted</Message></Error>`, {
    status,
    headers: { "content-type": "application/xml", ...headers },
  });
}

export function xml(text: string): Response {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>${text}`, {
    headers: { "content-type": "application/xml" },
  });
}
