import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { createServer as createSocketServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GrpcConnection, GrpcError } from "../../../src/host/grpc.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

function socketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "grpc-"));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "cri.sock");
}

function listen(server: Server, path: string): Promise<void> {
  cleanups.push(() => server.close());
  return new Promise((resolve) => server.listen(path, resolve));
}

/** A gRPC server whose every answer is made by the handler. */
async function grpcServer(handle: (stream: ServerHttp2Stream, request: Buffer) => void) {
  const path = socketPath();
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = [];
    stream.on("error", () => undefined);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => handle(stream, Buffer.concat(chunks)));
  });
  await listen(server, path);
  return path;
}

/** A server that speaks no HTTP/2: the handler gets the bare connection. */
async function socketServer(handle: (socket: Socket) => void) {
  const path = socketPath();
  const server = createSocketServer((socket) => {
    cleanups.push(() => socket.destroy());
    socket.on("error", () => undefined);
    handle(socket);
  });
  await listen(server, path);
  return path;
}

function connection(path: string, timeoutMs = 10_000): GrpcConnection {
  const opened = new GrpcConnection(path, AbortSignal.timeout(timeoutMs));
  cleanups.push(() => opened.close());
  return opened;
}

const call = (path: string, timeoutMs?: number) =>
  ask(connection(path, timeoutMs), "runtime.v1.RuntimeService", "Version", [1, 2, 3]);

/** The pieces of the answer, joined. */
async function ask(
  opened: GrpcConnection,
  service: string,
  method: string,
  request: number[],
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  await opened.call(service, method, new Uint8Array(request), (piece) => {
    pieces.push(Uint8Array.from(piece));
    return true;
  });
  return Buffer.concat(pieces);
}

function frame(message: Uint8Array, { compressed = 0, length = message.length } = {}): Buffer {
  const framed = Buffer.alloc(5 + message.length);
  framed[0] = compressed;
  framed.writeUInt32BE(length, 1);
  framed.set(message, 5);
  return framed;
}

function answer(stream: ServerHttp2Stream, body: Uint8Array, trailers = { "grpc-status": "0" }) {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(body);
}

test("the request is framed and addressed as gRPC wants it, and the answer unframed", async () => {
  const seen: { path?: unknown; te?: unknown; type?: unknown; body?: Buffer } = {};
  const path = socketPath();
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    Object.assign(seen, {
      path: headers[":path"],
      te: headers["te"],
      type: headers["content-type"],
    });
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      seen.body = Buffer.concat(chunks);
      answer(stream, frame(new Uint8Array([9, 8])));
    });
  });
  await listen(server, path);

  expect(await call(path)).toEqual(Buffer.from([9, 8]));
  expect(seen).toEqual({
    path: "/runtime.v1.RuntimeService/Version",
    te: "trailers",
    type: "application/grpc",
    body: Buffer.from([0, 0, 0, 0, 3, 1, 2, 3]),
  });
});

test("many calls at once on one connection each get their own answer", async () => {
  const path = await grpcServer((stream, request) => answer(stream, request));
  const opened = connection(path);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => ask(opened, "S", "M", [i])),
  );
  expect(answers.map((bytes) => bytes[0])).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test("an empty message is an answer", async () => {
  expect(await call(await grpcServer((s) => answer(s, frame(new Uint8Array()))))).toHaveLength(0);
});

test("an answer of a megabyte arrives whole", async () => {
  const large = Buffer.alloc(2 ** 20, 7);
  const got = await call(await grpcServer((stream) => answer(stream, frame(large))));
  expect(Buffer.compare(got, large)).toBe(0);
});

test("an answer without end is read as far as it is wanted", async () => {
  const path = await grpcServer((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    const more = () => void (stream.destroyed || stream.write(Buffer.alloc(2 ** 16), more));
    stream.write(frame(Buffer.from("first"), { length: 2 ** 32 - 1 }), more);
  });
  let seenBytes = 0;
  const opened = connection(path);
  await opened.call("S", "M", new Uint8Array(), (piece) => {
    seenBytes += piece.length;
    return seenBytes < 1_000_000;
  });
  expect(seenBytes).toBeGreaterThanOrEqual(1_000_000);
  expect(seenBytes).toBeLessThan(2_000_000);
});

test("what the reader of an answer throws is the call's error", async () => {
  const path = await grpcServer((stream) => answer(stream, frame(Buffer.alloc(2 ** 20))));
  const receive = () => {
    throw new RangeError("no such message");
  };
  expect(connection(path).call("S", "M", new Uint8Array(), receive)).rejects.toThrow(
    "no such message",
  );
});

test("a status in the trailers is an error with its code and its decoded message", async () => {
  const path = await grpcServer((stream) =>
    answer(stream, new Uint8Array(), {
      "grpc-status": "5",
      "grpc-message": "no such container %22x%22",
    } as never),
  );
  const error = await call(path).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(GrpcError);
  expect(error).toMatchObject({ status: 5, message: expect.stringContaining('container "x"') });
});

test("a response of headers only (trailers-only) is read too", async () => {
  const path = await grpcServer((stream) =>
    stream.respond(
      { ":status": 200, "grpc-status": "12", "grpc-message": "unknown service%" },
      { endStream: true },
    ),
  );
  const error = await call(path).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ status: 12, message: expect.stringMatching(/unknown service%$/) });
});

const REFUSED: [string, (stream: ServerHttp2Stream) => void, RegExp][] = [
  [
    "a compressed message",
    (s) => answer(s, frame(Buffer.from("x"), { compressed: 1 })),
    /compress/,
  ],
  ["a wrong length", (s) => answer(s, frame(Buffer.from("xyz"), { length: 999 })), /length/],
  ["a body without a frame", (s) => answer(s, Buffer.from("xy")), /no message/],
  [
    "an HTTP error",
    (s) => {
      s.respond({ ":status": 503 });
      s.end("down");
    },
    /HTTP status 503/,
  ],
  [
    "an answer without a status",
    (s) => {
      s.respond({ ":status": 200 });
      s.end(frame(Buffer.from("x")));
    },
    /no gRPC status/,
  ],
  ["a reset stream", (s) => s.close(8), /.+/],
];

test.each(REFUSED)("%s is refused", async (_, handle, message) => {
  const path = await grpcServer((stream) => handle(stream));
  expect(call(path)).rejects.toThrow(message);
});

test("a server that accepts and never answers costs no more than the deadline", async () => {
  const silent = await socketServer(() => undefined);
  expect(call(silent, 100)).rejects.toThrow(/no answer in time|aborted|timed out/);
});

test("a stream that is accepted and never answered ends with the deadline", async () => {
  const path = await grpcServer(() => undefined);
  expect(call(path, 200)).rejects.toThrow("Version: no answer in time");
});

test("a server that closes at once, or a missing or foreign socket, is one clear error", async () => {
  expect(call(await socketServer((socket) => socket.destroy()))).rejects.toThrow("Version: ");
  expect(call(await socketServer((socket) => socket.end()))).rejects.toThrow("Version: ");
  expect(call("/nonexistent/cri.sock")).rejects.toThrow("Version: ");
  expect(call(import.meta.path)).rejects.toThrow("Version: ");
});

test("garbage instead of frames is an error, not a crash", async () => {
  const garbage = [
    Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"),
    Buffer.alloc(100_000, 0xff),
    Buffer.from("000000040000000000ffffffffffffffffff", "hex"),
  ];
  for (const bytes of garbage)
    expect(call(await socketServer((socket) => socket.write(bytes)), 2000)).rejects.toThrow();
});

test("after the connection broke every further call fails at once", async () => {
  const opened = connection(await socketServer((socket) => socket.destroy()));
  const again = () => ask(opened, "S", "M", []);
  expect(again()).rejects.toThrow();
  await again().catch(() => undefined);
  expect(again()).rejects.toThrow("M: ");
});
