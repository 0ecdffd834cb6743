// Serves connections of any client that can reach the pod's port: a few at a time, each for one short request and a
// few seconds. When there are too many, the oldest connection of the address with the most is closed, so that probes
// still get an answer.
import { createServer, type AddressInfo, type Socket } from "node:net";

/** A request's first line. */
export interface HttpRequest {
  method: string;
  /** The path without the query. */
  path: string;
}

/** An answer. */
export interface HttpAnswer {
  status: number;
  type: string;
  body: string;
}

/**
 * How many connections are open at once: enough for the kubelet, a few Prometheus servers and a person. An answer of
 * 200 KB may wait in each.
 */
const CONNECTIONS_MAX = 64;
const HEAD_MAX_BYTES = 8 * 1024;
/** The longest time from a connection's beginning to the end of its request's head, in ms. */
const HEAD_MAX_MS = 5_000;
/** The longest time from there to the end of the answer, in ms; an answer may take eight seconds (http.ts). */
const ANSWER_MAX_MS = 12_000;
const HEAD_END = "\r\n\r\n";

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The open port. */
export interface HttpConnections {
  port: number;
  /** Closes the port and every connection. */
  stop: () => Promise<void>;
}

/** Where to listen. */
export interface HttpPlace {
  /** An address of this host or pod; "" is every address. */
  address: string;
  port: number;
}

type Answering = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

/** Listens. A throwing `answer` gives status 500. Throws the system's error where the port cannot be opened. */
export async function openHttpConnections(
  { address, port }: HttpPlace,
  answer: Answering,
): Promise<HttpConnections> {
  /** The connections with their addresses, the oldest first. */
  const open = new Map<Socket, string>();
  const server = createServer((socket) => {
    if (open.size >= CONNECTIONS_MAX) dropCrowding(open);
    open.set(socket, socket.remoteAddress ?? "");
    let end = setTimeout(() => socket.destroy(), HEAD_MAX_MS);
    socket.on("close", () => {
      clearTimeout(end);
      open.delete(socket);
    });
    socket.on("error", () => socket.destroy());
    readHead(socket, (head) => {
      clearTimeout(end);
      end = setTimeout(() => socket.destroy(), ANSWER_MAX_MS);
      void respond(head, answer).then((text) => socket.end(text));
    });
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(address === "" ? { port } : { port, host: address }, listening.resolve);
  await listening.promise;
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      for (const socket of open.keys()) socket.destroy();
      await closed.promise;
    },
  };
}

/** Ends the oldest connection of the address that has the most. */
function dropCrowding(open: Map<Socket, string>): void {
  const counts = new Map<string, number>();
  for (const address of open.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const [oldest] = [...open].find(([, address]) => counts.get(address) === most) ?? [];
  if (oldest === undefined) return;
  // Deletes it at once, because its close event comes later.
  open.delete(oldest);
  oldest.destroy();
}

/** Calls back once, with the head of the request or with undefined where it is too long. */
function readHead(socket: Socket, onHead: (head: string | undefined) => void): void {
  let head = "";
  const take = (bytes: Buffer) => {
    head += bytes.toString("latin1");
    const end = head.indexOf(HEAD_END);
    if (end === -1 && head.length <= HEAD_MAX_BYTES) return;
    socket.off("data", take);
    // Ignores the bytes after the head.
    socket.resume();
    onHead(end === -1 ? undefined : head.slice(0, end));
  };
  socket.on("data", take);
}

/** Makes the answer's text. Never rejects. */
async function respond(head: string | undefined, answer: Answering): Promise<string> {
  if (head === undefined) return format(plain(431, "the request is too long\n"));
  const match = /^([A-Z]+) (\/[^ ?]*)[^ ]* HTTP\/1\.[01]$/.exec(head.split("\r\n", 1)[0] ?? "");
  if (match === null) return format(plain(400, "no HTTP/1.1 request\n"));
  const [, method = "", path = ""] = match;
  try {
    return format(await answer({ method, path }), method !== "HEAD");
  } catch {
    return format(plain(500, "internal error\n"));
  }
}

function plain(status: number, body: string): HttpAnswer {
  return { status, type: "text/plain; charset=utf-8", body };
}

function format({ status, type, body }: HttpAnswer, withBody = true): string {
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  return `${head.join("\r\n")}${HEAD_END}${withBody ? body : ""}`;
}
