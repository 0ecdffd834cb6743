// What we ask of an S3 store and make of its answers, where the real server at hand never gives them.
import { existsSync, readdirSync } from "node:fs";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "bun:test";
import { openDelivery } from "../../../../src/agent/delivery/delivery.ts";
import { parseRetryAfter } from "../../../../src/store/retry-after.ts";
import { openS3Writer } from "../../../../src/store/s3/s3-writer.ts";
import { failureOf, StoreError } from "../../../../src/store/store-error.ts";
import { temporaryFolder, writeDump } from "../../../support/dumps.ts";
import { startMemoryStore } from "../../../support/memory-store.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import {
  s3Error,
  startScriptedStore,
  xml,
  type Asked,
  type ScriptedStore,
} from "../../../support/scripted-store.ts";
import { storeSettings } from "../../../support/store-settings.ts";

const never = new AbortController().signal;
let running: ScriptedStore | undefined;

afterEach(() => running?.stop());

function settingsFor(answer: (asked: Asked) => Response, changes: Record<string, string> = {}) {
  running = startScriptedStore(answer);
  const settings = storeSettings({
    S3_ENDPOINT: running.endpoint,
    S3_BUCKET_NAME: "cores",
    S3_ACCESS_KEY: "AK",
    S3_SECRET: "SK",
    ...changes,
  });
  return { settings, store: running };
}

function md5Etag(bytes: Uint8Array): Record<string, string> {
  return { etag: `"${createHash("md5").update(bytes).digest("hex")}"` };
}

const notFound = () => new Response(null, { status: 404 });
const forbidden = () => new Response(null, { status: 403 });

/** A store that keeps what is put, under conditions as S3 knows them. */
function keeping(objects: Map<string, Uint8Array>, look?: () => Response) {
  return ({ method, target, headers, bytes }: Asked): Response => {
    const key = target.split("?")[0] ?? "";
    const there = objects.get(key);
    if (method === "HEAD") {
      if (look !== undefined) return look();
      if (there === undefined) return notFound();
      return new Response(null, {
        headers: { ...md5Etag(there), "content-length": String(there.length) },
      });
    }
    if (headers.get("if-none-match") === "*" && there !== undefined)
      return s3Error(412, "PreconditionFailed");
    objects.set(key, bytes);
    return new Response(null, { headers: md5Etag(bytes) });
  };
}

test("a put is conditional, carries its digests, and signs the payload over plain http", async () => {
  const { settings, store } = settingsFor(keeping(new Map()), {
    S3_REQUEST_CHECKSUM: "when_supported",
    S3_SSE: "aws:kms",
    S3_SSE_KMS_KEY_ID: "key-1",
    S3_STORAGE_CLASS: "GLACIER_IR",
    STORE_TAGS: "team=a b",
  });
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  const bytes = await Bun.file(path).bytes();
  await openDelivery(settings, recordedLog()).deliver(path, never);
  const put = store.asked.find(({ method }) => method === "PUT");
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(Bun.hash.crc32(bytes));
  expect(put?.target.split("?")[0]).toBe("/cores/T.zip");
  expect(Object.fromEntries(put?.headers ?? [])).toMatchObject({
    "if-none-match": "*",
    "content-length": String(bytes.length),
    "content-md5": createHash("md5").update(bytes).digest("base64"),
    "x-amz-content-sha256": createHash("sha256").update(bytes).digest("hex"),
    "x-amz-checksum-crc32": crc.toString("base64"),
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": "key-1",
    "x-amz-storage-class": "GLACIER_IR",
    "x-amz-tagging": "team=a%20b",
    "x-amz-meta-namespace": "unknown",
  });
  expect(put?.headers.get("transfer-encoding")).toBeNull();
  expect(put?.bytes).toEqual(bytes);
});

test("a store that does not know conditional writes is asked once, then without", async () => {
  const objects = new Map<string, Uint8Array>();
  const keep = keeping(objects);
  const { settings, store } = settingsFor((asked) =>
    asked.headers.has("if-none-match") ? s3Error(501, "NotImplemented") : keep(asked),
  );
  const delivery = openDelivery(settings, recordedLog());
  const folder = temporaryFolder();
  for (const name of ["A.zip", "B.zip"])
    expect(await delivery.deliver(writeDump(folder, name, { coreBytes: 10 }), never)).toMatchObject(
      { kind: "delivered", key: name },
    );
  const conditions = store.asked
    .filter(({ method }) => method === "PUT")
    .map(({ headers }) => headers.get("if-none-match"));
  expect(conditions).toEqual(["*", null, null]);
});

test("an object that appears between our look and our write is not overwritten", async () => {
  const theirs = new TextEncoder().encode("theirs");
  const objects = new Map([["/cores/T.zip", theirs]]);
  const keep = keeping(objects);
  let looks = 0;
  const { settings } = settingsFor((asked) =>
    asked.method === "HEAD" && looks++ === 0 ? notFound() : keep(asked),
  );
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 10 });
  expect(await openDelivery(settings, recordedLog()).deliver(path, never)).toMatchObject({
    kind: "delivered",
    key: "T-1.zip",
  });
  expect(objects.get("/cores/T.zip")).toEqual(theirs);
});

test("a policy that lets us write and not look: the right ETag in the answer is the proof", async () => {
  const { settings } = settingsFor(keeping(new Map(), forbidden));
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 10 });
  expect((await openDelivery(settings, recordedLog()).deliver(path, never)).kind).toBe("delivered");
});

test("without a look and without a right ETag the file stays", async () => {
  const { settings } = settingsFor(({ method }) =>
    method === "HEAD" ? forbidden() : new Response(null, { headers: { etag: '"other"' } }),
  );
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 10 });
  const outcome = await openDelivery(settings, recordedLog()).deliver(path, never);
  expect(outcome.kind === "failed" && failureOf(outcome.error)).toBe("unverified");
  expect(existsSync(path)).toBe(true);
});

test.each([
  ["nothing is there", notFound],
  ["fewer bytes are there", () => new Response(null, { headers: { "content-length": "5" } })],
])("after a 200 %s: the file stays", async (_, look) => {
  let put = false;
  const { settings } = settingsFor(({ method, bytes }) => {
    if (method === "HEAD") return put ? look() : notFound();
    put = true;
    return new Response(null, { headers: md5Etag(bytes) });
  });
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  const outcome = await openDelivery(settings, recordedLog()).deliver(path, never);
  expect(outcome.kind === "failed" && failureOf(outcome.error)).toBe("unverified");
  expect(existsSync(path)).toBe(true);
});

test("other bytes of the same size after a 200 are noticed by their ETag", async () => {
  let put: Uint8Array | undefined;
  const { settings } = settingsFor(({ method, bytes }) => {
    if (method === "PUT") put = bytes;
    if (method === "PUT") return new Response(null, { headers: md5Etag(bytes) });
    if (put === undefined) return notFound();
    const headers = { ...md5Etag(new Uint8Array(1)), "content-length": String(put.length) };
    return new Response(null, { headers });
  });
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  const outcome = await openDelivery(settings, recordedLog()).deliver(path, never);
  expect(outcome.kind === "failed" && failureOf(outcome.error)).toBe("unverified");
});

test("a pause that the store asks for is kept", async () => {
  const { settings } = settingsFor(() => s3Error(503, "SlowDown", { "retry-after": "600" }));
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 10 });
  const delivery = openDelivery(settings, recordedLog());
  // A HEAD's 503 has no body, only the header.
  const outcome = await delivery.deliver(path, never);
  expect(outcome.kind).toBe("failed");
  const retryAtMs = outcome.kind === "failed" ? outcome.retryAtMs : 0;
  expect(retryAtMs - Date.now()).toBeGreaterThan(590_000);
  expect((await delivery.deliver(path, never)).kind).toBe("waiting");
});

test("a dump that the store refuses does not hold up the next, nor is it given up", async () => {
  const keep = keeping(new Map());
  const { settings } = settingsFor((asked) =>
    asked.method === "PUT" && asked.target.includes("poisoned")
      ? s3Error(400, "EntityTooLarge")
      : keep(asked),
  );
  const folder = temporaryFolder();
  const delivery = openDelivery(settings, recordedLog());
  const poisoned = writeDump(folder, "poisoned.zip", { coreBytes: 10 });
  expect((await delivery.deliver(poisoned, never)).kind).toBe("failed");
  const next = writeDump(folder, "next.zip", { coreBytes: 10 });
  expect((await delivery.deliver(next, never)).kind).toBe("delivered");
  expect(existsSync(poisoned)).toBe(true);
});

test("Retry-After is read as seconds and as a date, within reason", () => {
  const nowMs = Date.UTC(2026, 0, 1);
  const read = (value: string | undefined) => parseRetryAfter(value, nowMs);
  expect([undefined, "0", "3", "soon", "-5"].map(read)).toEqual([0, 0, 3000, 0, 0]);
  expect(read(new Date(nowMs + 5000).toUTCString())).toBe(5000);
  expect(read(new Date(nowMs - 5000).toUTCString())).toBe(0);
  expect(read("86400")).toBe(3_600_000);
});

test("parts are listed page by page", async () => {
  const part = (number: number) =>
    `<Part><PartNumber>${number}</PartNumber><Size>5242880</Size><ETag>"e${number}"</ETag></Part>`;
  const pages: Record<string, string> = {
    "": `<ListPartsResult>${part(1)}${part(2)}<IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker></ListPartsResult>`,
    "2": `<ListPartsResult>${part(3)}<IsTruncated>false</IsTruncated></ListPartsResult>`,
  };
  const { settings } = settingsFor(({ target }) =>
    xml(pages[new URLSearchParams(target.split("?")[1]).get("part-number-marker") ?? ""] ?? ""),
  );
  const { multipart } = openS3Writer(settings);
  const parts = await multipart?.listParts({ key: "T.zip", uploadId: "u" }, never);
  const etagOf = (proof: unknown) => (proof as { etag: string }).etag;
  expect(parts?.map(({ number, proof }) => [number, etagOf(proof)])).toEqual([
    [1, "e1"],
    [2, "e2"],
    [3, "e3"],
  ]);
});

test("only unfinished uploads of exactly our key are ours", async () => {
  const upload = (key: string, id: string) =>
    `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2026-01-02T03:04:05Z</Initiated></Upload>`;
  const { settings } = settingsFor(() =>
    xml(
      `<ListMultipartUploadsResult>${upload("T.zip", "u1")}${upload("T.zip.more", "u2")}</ListMultipartUploadsResult>`,
    ),
  );
  const found = await openS3Writer(settings).multipart?.listUploads("T.zip", never);
  expect(found).toEqual([
    { key: "T.zip", uploadId: "u1", initiatedMs: Date.UTC(2026, 0, 2, 3, 4, 5) },
  ]);
});

test.each([
  [500, "InternalError", "server", true],
  [503, "ServiceUnavailable", "throttled", true],
  [429, "TooManyRequests", "throttled", true],
  [403, "RequestTimeTooSkewed", "server", true],
  [400, "ExpiredToken", "credentials", false],
  [400, "BadDigest", "server", true],
  [404, "NoSuchUpload", "gone", false],
  [404, "NoSuchBucket", "no_store", false],
  [301, "PermanentRedirect", "no_store", false],
  [400, "AuthorizationHeaderMalformed", "configuration", false],
  [403, "AccessDenied", "forbidden", false],
  [400, "EntityTooLarge", "refused", false],
  [418, "Teapot", "refused", false],
])("%d %s is %s (worth an immediate retry: %p)", async (status, code, failure, transient) => {
  const { settings } = settingsFor(() => s3Error(status, code));
  const listed = openS3Writer(settings).multipart?.listParts({ key: "T", uploadId: "u" }, never);
  const error = await listed?.catch((thrown: unknown) => thrown);
  expect(failureOf(error)).toBe(failure as StoreError["failure"]);
  expect(error instanceof StoreError && error.transient).toBe(transient);
});

test("an answer that is no XML is the store's trouble, not the file's", async () => {
  const { settings } = settingsFor(() => new Response("<html>hello from the proxy"));
  const listed = openS3Writer(settings).multipart?.listParts({ key: "T", uploadId: "u" }, never);
  expect(failureOf(await listed?.catch((thrown: unknown) => thrown))).toBe("server");
});

test("a 403 whose body breaks off is the network's doing: the code that it had did not come", async () => {
  const server = createServer((request, answer) => {
    request.resume();
    answer.writeHead(403, { "content-type": "application/xml", "content-length": "4096" });
    answer.write("<?xml");
    setTimeout(() => answer.destroy(), 20);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const { settings } = settingsFor(notFound, { S3_ENDPOINT: `http://127.0.0.1:${port}` });
    const listed = openS3Writer(settings).multipart?.listParts({ key: "T", uploadId: "u" }, never);
    const error = await listed?.catch((thrown: unknown) => thrown);
    expect(failureOf(error)).toBe("unreachable");
    expect(error instanceof StoreError && error.transient).toBe(true);
  } finally {
    server.close();
  }
});

test.each([1000, 12_000_000])(
  "a store that takes no colon in a key gets a dump of %d bytes under a plainer one",
  async (coreBytes) => {
    const refuse = ({ method, target }: Asked) => {
      if (target.includes("list-type")) return xml("<ListBucketResult></ListBucketResult>");
      if (!/:|%3A/.test(target)) return undefined;
      return method === "HEAD"
        ? new Response(null, { status: 400 })
        : s3Error(400, "XMinioInvalidObjectName");
    };
    const store = startMemoryStore({ refuse });
    running = store;
    const settings = storeSettings({
      S3_ENDPOINT: store.endpoint,
      S3_BUCKET_NAME: "cores",
      S3_ACCESS_KEY: "AK",
      S3_SECRET: "SK",
      STORE_PART_SIZE: String(5 << 20),
      STORE_KEY_TEMPLATE: "eu:west/{filename}",
    });
    const folder = temporaryFolder();
    const path = writeDump(folder, "T.zip", { coreBytes });
    const log = recordedLog();
    expect(await openDelivery(settings, log).deliver(path, never)).toMatchObject({
      kind: "delivered",
      key: "eu_west/T.zip",
    });
    expect([...store.objects.keys()]).toEqual(["/cores/eu_west/T.zip"]);
    expect(log.names()).toContain("key_refused");
    expect(readdirSync(folder)).toEqual([]);
  },
);
