// One HTTP exchange with a store or an issuer of tokens: in time, without redirects, and with an answer of bounded
// size. What the answer's status means is the caller's business.
import type { StoreSettings } from "../config/store-settings.ts";
import type { FileBody } from "./file-body.ts";
import { explainNetworkError } from "./network-error.ts";
import { StoreError } from "./store-error.ts";
import { tlsOptions } from "./tls-options.ts";

/** A request. */
export interface HttpRequest {
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  url: string;
  headers: Record<string, string>;
  body?: FileBody | string;
  /** The body's size, which lengthens the time limit; for a stream it becomes Content-Length. */
  bodyBytes?: number;
  /** The largest answer in bytes; ANSWER_MAX_BYTES without it. */
  answerMaxBytes?: number;
  /** How many times STORE_TIMEOUT the store may take to answer; 1 without it. */
  patience?: number;
  /** True for an address of this node or network (a metadata service), which no proxy knows. */
  isLocal?: boolean;
}

/** An answer, read to its end. */
export interface HttpAnswer {
  status: number;
  headers: Headers;
  /** Empty for a refusal whose body broke off. */
  body: Buffer;
}

/** Makes exchanges. Throws StoreError "aborted", "timeout", "unreachable" and "unsupported" (a larger answer). */
export type Exchange = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

const ANSWER_MAX_BYTES = 16 * 2 ** 20;

/** Who answers, for messages. */
export interface Peer {
  /** The address without secrets. */
  address: string;
  /** What to check where it is out of reach. */
  hint: string;
}

/** Opens exchanges by the settings' limits. Throws AppError "configuration" for a CA bundle that cannot be read. */
export function openExchange(settings: StoreSettings, peer: Peer): Exchange {
  const options = tlsOptions(settings.STORE_CA_BUNDLE);
  return async (request, signal) => {
    if (signal.aborted) throw stopped(peer);
    const { bodyBytes = 0, patience = 1 } = request;
    const limitMs =
      settings.STORE_TIMEOUT * 1000 * patience + (bodyBytes / settings.STORE_MIN_SPEED) * 1000;
    const expiry = AbortSignal.timeout(Math.ceil(limitMs));
    try {
      const answer = await fetch(request.url, {
        ...options,
        method: request.method,
        headers: headersOf(request),
        redirect: "manual",
        signal: AbortSignal.any([signal, expiry]),
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(request.isLocal === true ? { proxy: false } : {}),
      });
      return await readAnswer(answer, request, peer);
    } catch (error) {
      if (signal.aborted) throw stopped(peer, error);
      if (error instanceof StoreError) throw error;
      if (expiry.aborted)
        throw new StoreError(
          "timeout",
          `${peer.address} gave no answer within ${Math.ceil(limitMs / 1000)} s`,
          {
            hint: "STORE_TIMEOUT and STORE_MIN_SPEED say how long a request may take",
            cause: error,
          },
        );
      throw explainNetworkError(error, peer.address, peer.hint);
    }
  };
}

function stopped({ address }: Peer, cause?: unknown): StoreError {
  return new StoreError("aborted", `the request to ${address} was stopped`, { cause });
}

function headersOf({ headers, body, bodyBytes }: HttpRequest): Record<string, string> {
  const isStream = body instanceof ReadableStream;
  return isStream ? { ...headers, "content-length": String(bodyBytes ?? 0) } : headers;
}

async function readAnswer(
  answer: Response,
  request: HttpRequest,
  { address }: Peer,
): Promise<HttpAnswer> {
  const { status, headers } = answer;
  const { answerMaxBytes = ANSWER_MAX_BYTES } = status < 400 ? request : {};
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of answer.body ?? []) {
      sizeBytes += chunk.length;
      if (sizeBytes > answerMaxBytes)
        throw new StoreError("unsupported", `${address} sends more than was asked`, {
          hint: "a store has to know ranges (RFC 9110, 14) for its dumps to be read",
        });
      chunks.push(chunk);
    }
  } catch (error) {
    // A refusal stays one, whatever became of the words that would explain it.
    if (status < 400 || error instanceof StoreError) throw error;
    return { status, headers, body: Buffer.alloc(0) };
  }
  return { status, headers, body: Buffer.concat(chunks) };
}
