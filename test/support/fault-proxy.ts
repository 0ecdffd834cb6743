// An HTTP proxy of ours that injects faults between the agent and a real S3 server. Each request meets
// at most one fault, drawn by a seeded generator or planned by the test. Bytes pass unchanged otherwise,
// the Host header included, so that signatures stay right.
import {
  createServer,
  request as sendRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { request as sendSecurely } from "node:https";
import type { AddressInfo } from "node:net";

export const FAULTS = [
  /** The connection is reset when a part of the request has arrived. */
  "reset",
  /** The request reaches the store, its answer never the client. */
  "lost_answer",
  /** Nothing is read and nothing is said until the client gives up. */
  "stall",
  "error_500",
  "slow_down_503",
  "too_many_429",
  /** The answer ends before its Content-Length. */
  "truncated_answer",
  /** 200 with an error in its body, for CompleteMultipartUpload, without the store having done anything. */
  "error_in_200",
  /** The request's body is read at 2 MB/s. */
  "slow_read",
  /** "Your clock is wrong", with a wrong time of the server's. */
  "clock_skew",
  /** 403 whose body, which would say why, breaks off. */
  "broken_403",
  /** The key is said to be taken, without the store having looked. */
  "conflict_409",
  "precondition_412",
] as const;

export type Fault = (typeof FAULTS)[number];

export interface FaultProxy {
  endpoint: string;
  /** How often each fault was injected. */
  counts: Record<Fault, number>;
  requests(): number;
  /** The Host headers seen so far. */
  hosts: Set<string>;
  /** The share of requests that meet each fault, from 0 to 1; error_in_200: of completions. */
  setRates(rates: Partial<Record<Fault, number>>): void;
  /** From now on the ETags of answers are no MD5s (reversed), for whole objects only; they say KMS, or nothing. */
  disguiseEtags(as: "kms" | "md5"): void;
  /** The next request that matches meets this fault. */
  plan(fault: Fault, matches?: (method: string, url: string) => boolean): void;
  stop(): void;
}

interface Planned {
  fault: Fault;
  matches: (method: string, url: string) => boolean;
}

const SLOW_BYTES_PER_MS = 2000;
type Disguise = "kms" | "md5" | undefined;
const KMS = { "x-amz-server-side-encryption": "aws:kms" };

export async function startFaultProxy(upstream: string, seed = 1): Promise<FaultProxy> {
  const counts = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  const planned: Planned[] = [];
  const hosts = new Set<string>();
  const random = seededRandom(seed);
  const target = new URL(upstream);
  let rates: Partial<Record<Fault, number>> = {};
  let requests = 0;
  let disguised: Disguise;

  function choose(method: string, url: string): Fault | undefined {
    const index = planned.findIndex(({ matches }) => matches(method, url));
    if (index >= 0) return planned.splice(index, 1)[0]?.fault;
    let draw = random();
    for (const fault of FAULTS) {
      if (fault === "error_in_200" && !completes(method, url)) continue;
      draw -= rates[fault] ?? 0;
      if (draw < 0) return fault;
    }
    return undefined;
  }

  const server = createServer((incoming, outgoing) => {
    requests++;
    hosts.add(incoming.headers.host ?? "");
    const fault = choose(incoming.method ?? "", incoming.url ?? "");
    if (fault !== undefined) counts[fault]++;
    // What breaks here was to break, or the client went away: either way there is nothing to tell.
    incoming.on("error", () => outgoing.destroy());
    outgoing.on("error", () => incoming.destroy());
    serve(fault, incoming, outgoing, target, disguised);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    counts,
    requests: () => requests,
    hosts,
    setRates: (wanted) => {
      rates = wanted;
    },
    disguiseEtags: (as) => {
      disguised = as;
    },
    plan: (fault, matches = () => true) => planned.push({ fault, matches }),
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function serve(
  fault: Fault | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: URL,
  disguised: Disguise,
): void {
  switch (fault) {
    case "stall":
      return;
    case "reset":
      incoming.once("data", () => incoming.socket.destroy());
      incoming.once("end", () => incoming.socket.destroy());
      return;
    case "error_500":
      return answer(incoming, outgoing, 500, "InternalError");
    case "slow_down_503":
      return answer(incoming, outgoing, 503, "SlowDown");
    case "too_many_429":
      return answer(incoming, outgoing, 429, "TooManyRequests", { "retry-after": "1" });
    case "error_in_200":
      return answer(incoming, outgoing, 200, "InternalError");
    case "clock_skew": {
      const date = new Date(Date.now() + 3 * 3_600_000).toUTCString();
      return answer(incoming, outgoing, 403, "RequestTimeTooSkewed", { date });
    }
    case "broken_403":
      return breakOff(incoming, outgoing, 403);
    case "conflict_409":
      return answer(incoming, outgoing, 409, "Conflict");
    case "precondition_412":
      return answer(incoming, outgoing, 412, "PreconditionFailed");
    case "lost_answer":
    case "truncated_answer":
    case "slow_read":
    case undefined:
      return forward(fault, incoming, outgoing, target, disguised);
  }
}

/** An error as S3 words it. The request is read to its end first, as real servers mostly do. */
function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>injected</Message></Error>`;
  incoming.resume();
  incoming.once("end", () => {
    outgoing.writeHead(status, { "content-type": "application/xml", ...headers });
    outgoing.end(incoming.method === "HEAD" ? undefined : body);
  });
}

function breakOff(incoming: IncomingMessage, outgoing: ServerResponse, status: number): void {
  incoming.resume();
  incoming.once("end", () => {
    outgoing.writeHead(status, { "content-type": "application/xml", "content-length": "4096" });
    outgoing.write("<?xml");
    setTimeout(() => incoming.socket.destroy(), 20);
  });
}

function forward(
  fault: "lost_answer" | "truncated_answer" | "slow_read" | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: URL,
  disguised: Disguise,
): void {
  const send = target.protocol === "https:" ? sendSecurely : sendRequest;
  const onward = send({
    // The upstream's authority is a test's own.
    rejectUnauthorized: false,
    host: target.hostname,
    port: target.port,
    method: incoming.method,
    path: pathOf(incoming.url ?? "/"),
    headers: incoming.headers,
    agent: false,
  });
  onward.on("error", () => outgoing.destroy());
  onward.on("response", (response) => {
    if (fault === "lost_answer") {
      response.resume();
      response.once("end", () => incoming.socket.destroy());
      return;
    }
    if (fault === "truncated_answer") {
      response.resume();
      outgoing.writeHead(response.statusCode ?? 502, {
        ...response.headers,
        "content-length": "4096",
      });
      outgoing.write("<?xml");
      setTimeout(() => incoming.socket.destroy(), 20);
      return;
    }
    const { etag } = response.headers;
    const headers =
      disguised !== undefined && etag !== undefined
        ? {
            ...response.headers,
            ...(disguised === "kms" ? KMS : {}),
            etag: etag.split("").toReversed().join(""),
          }
        : response.headers;
    outgoing.writeHead(response.statusCode ?? 502, headers);
    response.pipe(outgoing);
  });
  if (fault !== "slow_read") {
    incoming.pipe(onward);
    return;
  }
  incoming.on("data", (chunk: Buffer) => {
    onward.write(chunk);
    incoming.pause();
    setTimeout(() => incoming.resume(), chunk.length / SLOW_BYTES_PER_MS);
  });
  incoming.once("end", () => onward.end());
}

/** A client that was told of a proxy (HTTP_PROXY) sends the whole address. */
function pathOf(url: string): string {
  if (!url.startsWith("http://")) return url;
  const { pathname, search } = new URL(url);
  return pathname + search;
}

export function completes(method: string, url: string): boolean {
  return method === "POST" && url.includes("uploadId=");
}

/** mulberry32: the same seed, the same faults. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
