// Unary gRPC calls over HTTP/2 on a unix socket: the part of gRPC's HTTP/2 mapping that a client of
// CRI needs (grpc/doc/PROTOCOL-HTTP2.md). Messages are bytes here; what they mean is cri/client.ts's.
// node:http2 instead of a gRPC library: 15 MB and 20 ms cheaper in a process that lives a second.
import { connect as connectSocket } from "node:net";
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";

/** gRPC's own default; a pod's verbose status has some 30 KB. */
const MESSAGE_MAX_BYTES = 4 * 2 ** 20;
const PREFIX_BYTES = 5;
const OK = "0";

/** A call that the runtime answered with a gRPC status other than OK. */
export class GrpcError extends Error {
  /** As in grpc/doc/statuscodes.md. */
  readonly status: number;

  constructor(method: string, status: number, message: string) {
    super(`${method}: gRPC status ${status}${message === "" ? "" : `, ${message}`}`);
    this.name = "GrpcError";
    this.status = status;
  }
}

export class GrpcConnection {
  readonly #session: ClientHttp2Session;
  readonly #signal: AbortSignal;
  /** How to fail each call that waits for its answer. */
  readonly #waiting = new Set<(reason: string) => void>();
  #broken: string | null = null;

  /** Connects lazily; whatever goes wrong is told by the first call. The signal ends every call. */
  constructor(socketPath: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#session = connect("http://localhost", {
      createConnection: () => connectSocket(socketPath),
    });
    this.#session.on("error", (error) => this.#break(error.message));
    this.#session.on("close", () => this.#break("the connection was closed before the answer"));
    signal.addEventListener("abort", () => this.#break("no answer in time"), { once: true });
  }

  /**
   * One request, one response. The service by its full name (`runtime.v1.RuntimeService`). Rejects on any
   * status but OK, on the signal, on a broken connection.
   */
  async call(
    service: string,
    method: string,
    request: Uint8Array,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<Uint8Array> {
    if (this.#signal.aborted) this.#break("no time left");
    if (this.#broken !== null) throw new Error(`${method}: ${this.#broken}`);
    const stream = this.#session.request({
      ...metadata,
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: `/${service}/${method}`,
      [constants.HTTP2_HEADER_TE]: "trailers",
      [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
    });
    stream.end(prefixed(request));
    return this.#answerOf(stream, method);
  }

  close(): void {
    this.#break("the connection was closed");
  }

  #break(reason: string): void {
    this.#broken ??= reason;
    for (const fail of this.#waiting) fail(this.#broken);
    this.#session.destroy();
  }

  #answerOf(stream: ClientHttp2Stream, method: string): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const body = new ResponseBody();
      let status = 0;
      let metadata: Record<string, unknown> = {};

      const finish = (outcome: () => void) => {
        this.#waiting.delete(fail);
        outcome();
        stream.destroy();
      };
      const fail = (reason: string) => finish(() => reject(new Error(`${method}: ${reason}`)));

      this.#waiting.add(fail);
      stream.on("error", (error: Error) => fail(error.message));
      stream.on("close", () => fail("the stream was closed before the answer"));
      stream.on("response", (headers) => {
        status = Number(headers[constants.HTTP2_HEADER_STATUS]);
        metadata = headers;
      });
      stream.on("trailers", (trailers) => (metadata = { ...metadata, ...trailers }));
      stream.on("data", (chunk: Buffer) => {
        if (!body.add(chunk)) fail(`the answer is longer than ${MESSAGE_MAX_BYTES} bytes`);
      });
      stream.on("end", () => {
        try {
          const message = readAnswer(method, status, metadata, body);
          finish(() => resolve(message));
        } catch (error) {
          finish(() => reject(error));
        }
      });
    });
  }
}

class ResponseBody {
  readonly #chunks: Buffer[] = [];
  #sizeBytes = 0;

  /** False once the body is longer than any message may be. */
  add(chunk: Buffer): boolean {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > MESSAGE_MAX_BYTES + PREFIX_BYTES) return false;
    this.#chunks.push(chunk);
    return true;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks, this.#sizeBytes);
  }
}

/** The message of a whole response. Without a body, the status stands in the headers (trailers-only). */
function readAnswer(
  method: string,
  httpStatus: number,
  metadata: Record<string, unknown>,
  body: ResponseBody,
): Uint8Array {
  const grpcStatus = metadata["grpc-status"];
  if (httpStatus !== 200 && grpcStatus === undefined)
    throw new Error(`${method}: HTTP status ${httpStatus}, so this is no gRPC server`);
  if (grpcStatus === undefined) throw new Error(`${method}: the answer has no gRPC status`);
  if (grpcStatus !== OK)
    throw new GrpcError(method, Number(grpcStatus), decodeMessage(metadata["grpc-message"]));
  const bytes = body.bytes();
  if (bytes.length < PREFIX_BYTES) throw new Error(`${method}: the answer has no message`);
  // We announce no grpc-accept-encoding, so a compressed message is a server's error.
  if (bytes[0] !== 0) throw new Error(`${method}: the answer is compressed`);
  if (bytes.readUInt32BE(1) !== bytes.length - PREFIX_BYTES)
    throw new Error(`${method}: the answer's length is not what it says`);
  return bytes.subarray(PREFIX_BYTES);
}

/** Length-Prefixed-Message: not compressed, 4 bytes of length, the message. */
function prefixed(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** grpc-message is percent-encoded; text that is not is shown as it came. */
function decodeMessage(value: unknown): string {
  if (typeof value !== "string") return "";
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
