// A Cloud Storage server of ours, in this process: the JSON API's objects and the resumable protocol, strict where
// Google's documentation is ("Resumable uploads", "Perform resumable uploads", the JSON API's reference). It keeps whole
// units of 256 KiB of a chunk that broke off, ignores bytes that it has, refuses gaps and chunks of another size, looks
// at conditions at the beginning and at the end, compares X-Goog-Hash, and forgets nothing that it has confirmed. There
// is no server of Google's own to be had here; fake-gcs-server and others take any chunk.
import { createHash } from "node:crypto";
import { crc32c } from "../../src/store/google/crc32c.ts";

const UNIT_BYTES = 256 * 1024;
const PAGE = 1000;

export interface GcsObject {
  bytes: Uint8Array;
  /** Of bytes that were looked at and not kept. */
  discarded?: { sizeBytes: number; crc: number };
  generation: number;
  metadata: Record<string, string>;
  contentType: string;
  updated: string;
}

interface Session {
  key: string;
  generationMatch: string | null;
  metadata: Record<string, string>;
  contentType: string;
  /** Confirmed bytes; their size is a multiple of 256 KiB until the end. */
  stored: Uint8Array[];
  storedBytes: number;
  /** CRC-32C of the stored bytes. */
  crc: number;
  done: GcsObject | undefined;
}

export interface GcsOptions {
  /** Who may do what: undefined lets everybody, as an emulator does. */
  permits?: (token: string, permission: string) => "yes" | "forbidden" | "unknown";
  /** Takes the bytes instead of keeping them, for sizes that memory cannot hold. */
  discards?: boolean;
  /** The most that it keeps of one chunk. */
  chunkMaxBytes?: number;
  /** What it keeps of the bytes. */
  keep?: (bytes: Uint8Array) => Uint8Array;
  tls?: { cert: string; key: string };
}

export interface GcsServer {
  /** http://127.0.0.1:PORT */
  endpoint: string;
  bucket: string;
  objects: Map<string, GcsObject>;
  /** Keys of sessions that are not finished and have bytes. */
  unfinished(): string[];
  put(key: string, bytes: Uint8Array, metadata?: Record<string, string>): void;
  stop(): void;
}

export function startGcsServer(options: GcsOptions = {}): GcsServer {
  // A name that holds pieces of the API's own paths.
  const bucket = "o-cores-b";
  const objects = new Map<string, GcsObject>();
  const sessions = new Map<string, Session>();
  let generations = 1_700_000_000_000_000;
  const keep = options.keep ?? ((bytes) => bytes);

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const [, upload, named, object] =
      /^(\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (named === undefined) return refuse(404, "notFound", "Not Found");
    const query = url.searchParams;
    const refusal = check(
      request,
      upload !== undefined ? "storage.objects.create" : permissionOf(object),
    );
    if (refusal !== undefined) return refusal;
    if (decodeURIComponent(named) !== bucket)
      return refuse(404, "notFound", "The specified bucket does not exist.");
    if (upload !== undefined) return serveUpload(request, query);
    if (request.method !== "GET") return refuse(405, "methodNotAllowed", "Method not allowed");
    return object === undefined ? list(query) : read(request, decodeURIComponent(object), query);
  }

  function check(request: Request, permission: string): Response | undefined {
    if (options.permits === undefined) return undefined;
    const token = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    const verdict = options.permits(token, permission);
    if (verdict === "yes") return undefined;
    if (verdict === "unknown") return refuse(401, "authError", "Invalid Credentials");
    const text = `caller does not have ${permission} access to the Google Cloud Storage object. Permission '${permission}' denied on resource (or it may not exist).`;
    return refuse(403, "forbidden", text);
  }

  async function serveUpload(request: Request, query: URLSearchParams): Promise<Response> {
    const id = query.get("upload_id");
    if (query.get("uploadType") === "media") return takeMedia(request, query);
    if (query.get("uploadType") !== "resumable")
      return refuse(400, "invalid", "no such uploadType here");
    if (id === null)
      return request.method === "POST"
        ? begin(request, query)
        : refuse(400, "required", "upload_id");
    const session = sessions.get(id);
    if (session === undefined) return refuse(404, "notFound", "no such upload");
    if (request.method === "DELETE") {
      if (session.done !== undefined) return refuse(404, "notFound", "finished");
      sessions.delete(id);
      return new Response(null, { status: 499 });
    }
    if (request.method !== "PUT") return refuse(405, "methodNotAllowed", "Method not allowed");
    return feed(request, session);
  }

  async function takeMedia(request: Request, query: URLSearchParams): Promise<Response> {
    const key = query.get("name") ?? "";
    if (request.method !== "POST" || key === "") return refuse(400, "invalid", "POST with a name");
    if (!matches(key, query.get("ifGenerationMatch"))) return precondition();
    put(key, await request.bytes());
    return Response.json({ name: key });
  }

  async function begin(request: Request, query: URLSearchParams): Promise<Response> {
    const key = query.get("name");
    if (key === null || key === "" || key.length > 1024)
      return refuse(400, "invalid", "Invalid object name");
    const generationMatch = query.get("ifGenerationMatch");
    if (!matches(key, generationMatch)) return precondition();
    if (!(request.headers.get("content-type") ?? "").startsWith("application/json"))
      return refuse(400, "badContent", "the metadata is JSON");
    const resource = (await request.json()) as {
      name?: string;
      contentType?: string;
      metadata?: Record<string, string>;
    };
    if (resource.name !== undefined && resource.name !== key)
      return refuse(400, "invalid", "two names");
    const metadata = resource.metadata ?? {};
    const metadataBytes = Object.entries(metadata).flat().join("");
    if (Buffer.byteLength(metadataBytes) > 8192)
      return refuse(400, "invalid", "metadata over 8 KiB");
    const id = crypto.randomUUID();
    sessions.set(id, {
      key,
      generationMatch,
      metadata,
      contentType: resource.contentType ?? "application/octet-stream",
      stored: [],
      storedBytes: 0,
      crc: 0,
      done: undefined,
    });
    const address = new URL(request.url);
    address.searchParams.set("upload_id", id);
    const host = request.headers.get("host") ?? address.host;
    const scheme = options.tls === undefined ? "http" : "https";
    const location = `${scheme}://${host}${address.pathname}${address.search}`;
    return new Response(null, { status: 200, headers: { location } });
  }

  async function feed(request: Request, session: Session): Promise<Response> {
    const range = request.headers.get("content-range") ?? "";
    const asked = /^bytes \*\/(\*|\d+)$/.exec(range);
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\*|\d+)$/.exec(range) ?? [];
    if (session.done !== undefined) return Response.json(resourceOf(session.key, session.done));
    if (asked !== null) {
      // Every byte is here, or none is missing of an empty object: that finishes it.
      if (asked[1] === String(session.storedBytes)) return finish(request, session);
      return progress(session);
    }
    if (first === undefined || last === undefined || total === undefined)
      return refuse(400, "invalid", "Content-Range is wrong");
    const [start, end] = [Number(first), Number(last) + 1];
    const isLast = total !== "*" && end === Number(total);
    if (total !== "*" && end > Number(total)) return refuse(400, "invalid", "beyond the total");
    if (!isLast && (end - start) % UNIT_BYTES !== 0)
      return refuse(400, "invalid", "a chunk is a multiple of 256 KiB");
    if (start > session.storedBytes) return refuse(503, "backendError", "a gap before this chunk");
    const came = await bodyOf(request, end - start);
    const isWhole = came.length === end - start;
    const fresh = came.subarray(Math.min(came.length, session.storedBytes - start));
    const most = Math.min(fresh.length, options.chunkMaxBytes ?? Number.POSITIVE_INFINITY);
    const isKeptWhole = isWhole && most === fresh.length;
    // Nothing but whole units stays of what is not the end.
    const kept = isLast && isKeptWhole ? fresh : fresh.subarray(0, most - (most % UNIT_BYTES));
    session.crc = crc32c(kept, session.crc);
    if (options.discards !== true && kept.length > 0) session.stored.push(keep(kept.slice()));
    session.storedBytes += kept.length;
    if (!isWhole) return refuse(400, "invalid", "the body is shorter than Content-Range says");
    return isLast && isKeptWhole ? finish(request, session) : progress(session);
  }

  function finish(request: Request, session: Session): Response {
    const { key, generationMatch, metadata, contentType } = session;
    if (!matches(key, generationMatch)) return precondition();
    const bytes = Buffer.concat(session.stored);
    const told = /crc32c=([^,]+)/.exec(request.headers.get("x-goog-hash") ?? "")?.[1];
    if (told !== undefined && told !== formatCrc(session.crc))
      return refuse(400, "invalid", `Provided CRC32C "${told}" doesn't match calculated CRC32C`);
    const { storedBytes: sizeBytes, crc } = session;
    const object: GcsObject = {
      bytes,
      ...(options.discards === true ? { discarded: { sizeBytes, crc } } : {}),
      generation: ++generations,
      metadata,
      contentType,
      updated: new Date().toISOString(),
    };
    objects.set(key, object);
    session.done = object;
    session.stored = [];
    return Response.json(resourceOf(key, object));
  }

  function matches(key: string, generationMatch: string | null): boolean {
    if (generationMatch === null) return true;
    return generationMatch === String(objects.get(key)?.generation ?? 0);
  }

  function list(query: URLSearchParams): Response {
    const prefix = query.get("prefix") ?? "";
    const after = query.get("pageToken") ?? "";
    const from = query.get("startOffset") ?? "";
    const keys = [...objects.keys()]
      .filter((key) => key.startsWith(prefix) && key > after && key >= from)
      .sort();
    const page = keys.slice(0, PAGE);
    const items = page.flatMap((key) => {
      const object = objects.get(key);
      return object === undefined ? [] : [resourceOf(key, object)];
    });
    const more = keys.length > PAGE ? { nextPageToken: page.at(-1) } : {};
    return Response.json({ ...(items.length === 0 ? {} : { items }), ...more });
  }

  function read(request: Request, key: string, query: URLSearchParams): Response {
    const object = objects.get(key);
    if (object === undefined) return refuse(404, "notFound", `No such object: ${bucket}/${key}`);
    if (!matches(key, query.get("ifGenerationMatch"))) return precondition();
    if (query.get("alt") !== "media") return Response.json(resourceOf(key, object));
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "") ?? [];
    if (first === undefined) return new Response(object.bytes.slice());
    if (Number(first) >= object.bytes.length)
      return refuse(416, "requestedRangeNotSatisfiable", "no such range");
    return new Response(object.bytes.slice(Number(first), Number(last) + 1), { status: 206 });
  }

  function put(key: string, bytes: Uint8Array, metadata: Record<string, string> = {}): void {
    const updated = new Date().toISOString();
    const contentType = "application/zip";
    objects.set(key, { bytes, generation: ++generations, metadata, contentType, updated });
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    maxRequestBodySize: 2 ** 40,
    fetch: answer,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  });
  return {
    endpoint: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${server.port}`,
    bucket,
    objects,
    unfinished: () =>
      [...sessions.values()]
        .filter(({ done, storedBytes }) => done === undefined && storedBytes > 0)
        .map(({ key }) => key),
    put,
    stop: () => void server.stop(true),
  };
}

function permissionOf(object: string | undefined): string {
  return object === undefined ? "storage.objects.list" : "storage.objects.get";
}

function progress({ storedBytes }: Session): Response {
  const headers = storedBytes === 0 ? {} : { range: `bytes=0-${storedBytes - 1}` };
  return new Response(null, { status: 308, headers });
}

/** The body as far as it came. */
async function bodyOf(request: Request, sizeBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let came = 0;
  try {
    for await (const chunk of request.body ?? []) {
      chunks.push(chunk);
      came += chunk.length;
      if (came >= sizeBytes) break;
    }
  } catch {
    // The connection broke: what came is judged by its size.
  }
  return Buffer.concat(chunks).subarray(0, sizeBytes);
}

function resourceOf(key: string, object: GcsObject): Record<string, unknown> {
  const { bytes, discarded, generation, metadata, contentType, updated } = object;
  return {
    kind: "storage#object",
    name: key,
    size: String(discarded?.sizeBytes ?? bytes.length),
    generation: String(generation),
    contentType,
    updated,
    crc32c: formatCrc(discarded?.crc ?? crc32c(bytes)),
    md5Hash: createHash("md5").update(bytes).digest("base64"),
    metadata,
  };
}

function formatCrc(crc: number): string {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(crc);
  return buffer.toString("base64");
}

function precondition(): Response {
  return refuse(
    412,
    "conditionNotMet",
    "At least one of the pre-conditions you specified did not hold.",
  );
}

function refuse(code: number, reason: string, message: string): Response {
  const error = { code, message, errors: [{ message, domain: "global", reason }] };
  return Response.json({ error }, { status: code });
}
