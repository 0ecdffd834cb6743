// An S3 store in memory with multipart uploads, which a test can make lie: its answers' ETags, the bytes that it keeps,
// the headers that it adds. For faults that the real server at hand cannot be brought to.
import { createHash } from "node:crypto";
import {
  s3Error,
  startScriptedStore,
  xml,
  type Asked,
  type ScriptedStore,
} from "./scripted-store.ts";

export interface MemoryStore extends ScriptedStore {
  /** By path: /bucket/key. */
  objects: Map<string, StoredObject>;
  /** Paths of unfinished uploads. */
  unfinished(): string[];
}

export interface StoredObject {
  bytes: Uint8Array;
  etag: string;
  metadata: Record<string, string>;
}

interface UnfinishedUpload {
  path: string;
  metadata: Record<string, string>;
  parts: Uint8Array[];
}

export interface Oddities {
  /** What the store keeps of the bytes that it was sent. */
  keep?: (bytes: Uint8Array) => Uint8Array;
  /** The ETag of bytes that it keeps, without quotes; by default their MD5. */
  etag?: (bytes: Uint8Array) => string;
  /** The ETag of a whole, by those of its parts; by default AWS's. */
  compositeEtag?: (partEtags: string[]) => string;
  /** Headers of every answer about an object or a part. */
  headers?: Record<string, string>;
  /** Whether answers to writes carry an ETag. */
  answersEtag?: boolean;
  /** An answer in place of the store's own. */
  refuse?: (asked: Asked) => Response | undefined;
}

export function startMemoryStore(odd: Oddities = {}): MemoryStore {
  const objects = new Map<string, StoredObject>();
  const uploads = new Map<string, UnfinishedUpload>();
  let begun = 0;
  const keep = odd.keep ?? ((bytes) => bytes);
  const etagOf = odd.etag ?? md5;

  function answer(asked: Asked): Response {
    const refusal = odd.refuse?.(asked);
    if (refusal !== undefined) return refusal;
    const { method, headers, bytes } = asked;
    const [encoded = "", query = ""] = asked.target.split("?");
    const path = decodeURIComponent(encoded);
    const asks = new URLSearchParams(query);
    const id = asks.get("uploadId") ?? "";
    const upload = uploads.get(id);
    const there = objects.get(path);
    if (method === "HEAD")
      return there === undefined ? new Response(null, { status: 404 }) : look(there);
    if (method === "GET" && query.includes("x-id=GetObject") && there !== undefined)
      return read(there, headers.get("range") ?? "");
    if (method === "GET" && asks.has("list-type"))
      return listObjects(path, asks.get("prefix") ?? "", asks.get("start-after") ?? "");
    if (method === "GET" && asks.has("uploads")) return listUploads(path);
    if (asks.has("uploads")) return begin(path, headers);
    if (asks.has("uploadId") && upload === undefined) return s3Error(404, "NoSuchUpload");
    if (method === "GET" && upload !== undefined) return listParts(upload);
    if (method === "GET") return s3Error(404, "NoSuchKey");
    if (method === "DELETE") uploads.delete(id);
    if (method === "DELETE") return new Response(null, { status: 204 });
    if (method === "PUT" && upload !== undefined) {
      const kept = keep(bytes);
      upload.parts[Number(asks.get("partNumber")) - 1] = kept;
      return new Response(null, { headers: { etag: `"${etagOf(kept)}"`, ...odd.headers } });
    }
    if (headers.get("if-none-match") === "*" && there !== undefined)
      return s3Error(412, "PreconditionFailed");
    if (method === "POST" && upload !== undefined) {
      uploads.delete(id);
      return complete(path, upload);
    }
    if (method !== "PUT") return s3Error(501, "NotImplemented");
    const kept = keep(bytes);
    objects.set(path, { bytes: kept, etag: etagOf(kept), metadata: metadataIn(headers) });
    return new Response(null, { headers: { ...etagHeader(etagOf(kept)), ...odd.headers } });
  }

  function look({ bytes, etag, metadata }: StoredObject): Response {
    const length = String(bytes.length);
    const headers = { etag: `"${etag}"`, "content-length": length, ...metadata, ...odd.headers };
    return new Response(null, { headers });
  }

  function read({ bytes }: StoredObject, range: string): Response {
    const [, start = "0", last = ""] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    const piece = bytes.slice(Number(start), last === "" ? bytes.length : Number(last) + 1);
    return new Response(piece, { status: 206 });
  }

  function begin(path: string, headers: Headers): Response {
    const id = `upload-${begun++}`;
    uploads.set(id, { path, metadata: metadataIn(headers), parts: [] });
    return xml(
      `<InitiateMultipartUploadResult><Key>${path}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    );
  }

  function complete(path: string, { metadata, parts }: UnfinishedUpload): Response {
    const etag = (odd.compositeEtag ?? compositeOf)(parts.map(etagOf));
    objects.set(path, { bytes: Buffer.concat(parts), etag, metadata });
    const told = odd.answersEtag === false ? "" : `<ETag>"${etag}"</ETag>`;
    return xml(`<CompleteMultipartUploadResult>${told}</CompleteMultipartUploadResult>`);
  }

  function listObjects(bucket: string, prefix: string, after: string): Response {
    const under = `${bucket.replace(/\/$/, "")}/`;
    const found = [...objects]
      .map(([path, { bytes }]) => ({ key: path.slice(under.length), size: bytes.length }))
      .filter(({ key }) => key.startsWith(prefix) && key > after);
    const contents = found.map(
      ({ key, size }) =>
        `<Contents><Key>${key}</Key><Size>${size}</Size><LastModified>2026-01-02T03:04:05Z</LastModified></Contents>`,
    );
    return xml(`<ListBucketResult>${contents.join("")}</ListBucketResult>`);
  }

  function listUploads(bucket: string): Response {
    const under = `${bucket.replace(/\/$/, "")}/`;
    const found = [...uploads].map(
      ([id, { path }]) =>
        `<Upload><Key>${path.slice(under.length)}</Key><UploadId>${id}</UploadId><Initiated>${new Date().toISOString()}</Initiated></Upload>`,
    );
    return xml(`<ListMultipartUploadsResult>${found.join("")}</ListMultipartUploadsResult>`);
  }

  function listParts({ parts }: UnfinishedUpload): Response {
    const found = [...parts.entries()].flatMap(([index, bytes]) =>
      bytes === undefined
        ? []
        : `<Part><PartNumber>${index + 1}</PartNumber><Size>${bytes.length}</Size><ETag>"${etagOf(bytes)}"</ETag></Part>`,
    );
    return xml(`<ListPartsResult>${found.join("")}</ListPartsResult>`);
  }

  function etagHeader(etag: string): Record<string, string> {
    return odd.answersEtag === false ? {} : { etag: `"${etag}"` };
  }

  const unfinished = () => [...uploads.values()].map(({ path }) => path);
  return Object.assign(startScriptedStore(answer), { objects, unfinished });
}

export function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

function compositeOf(partEtags: string[]): string {
  const digests = partEtags.map((etag) => Buffer.from(etag, "hex"));
  return `${md5(Buffer.concat(digests))}-${partEtags.length}`;
}

function metadataIn(headers: Headers): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith("x-amz-meta-")));
}
