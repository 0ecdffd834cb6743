// Azurite, which implements the blob service's protocol: versions, block lists, conditions, signatures, and with OAuth
// a token's audience and end. One process for all tests of a file; every test has a container of its own, looked at by
// Azure's own client.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "./at-end.ts";
import { installAzurite } from "./azurite-package.ts";
import { startFaultProxy } from "./fault-proxy.ts";
import { findProgram } from "./gate.ts";
import { freePorts } from "./radosgw.ts";

export const ACCOUNT = "cdhtests";
export const KEY = Buffer.from("a key of an account for tests only").toString("base64");

export interface BlobServer {
  /** http://127.0.0.1:PORT/ACCOUNT */
  endpoint: string;
  client: BlobClient;
}

/** The little of @azure/storage-blob's interface that tests use. */
interface BlobClient {
  getContainerClient(name: string): ContainerClient;
}
interface ContainerClient {
  create(): Promise<unknown>;
  listBlobsFlat(options: { includeUncommitedBlobs: boolean }): AsyncIterable<{ name: string }>;
  getBlockBlobClient(name: string): {
    upload(body: Uint8Array, size: number): Promise<unknown>;
    downloadToBuffer(): Promise<Buffer>;
    getProperties(): Promise<{ metadata?: Record<string, string>; contentMD5?: Uint8Array }>;
    getTags(): Promise<{ tags: Record<string, string> }>;
    getBlockList(kind: "uncommitted"): Promise<{ uncommittedBlocks?: unknown[] }>;
  };
}

export interface AzuriteOptions {
  /** Certificate and key files: with them it speaks TLS and takes bearer tokens. */
  tls?: { certPath: string; keyPath: string };
}

let started: Promise<BlobServer> | undefined;

/** The plain server of this process, started when it is first asked for. */
export function startAzurite(): Promise<BlobServer> {
  started ??= launchAzurite({});
  return started;
}

/** Starts a server of its own. */
export async function launchAzurite({ tls }: AzuriteOptions): Promise<BlobServer> {
  const folder = installAzurite();
  const [port = 0] = await freePorts(1);
  const data = mkdtempSync(join(tmpdir(), "cdh-azurite-"));
  const log = join(data, "azurite.log");
  const child = Bun.spawn(
    [
      findProgram("node") ?? "node",
      join(folder, "node_modules/azurite/dist/src/blob/main.js"),
      "--location",
      data,
      "--blobPort",
      String(port),
      "--silent",
      "--disableTelemetry",
      // The client that the tests look with is newer than Azurite.
      "--skipApiVersionCheck",
      ...(tls === undefined
        ? []
        : ["--cert", tls.certPath, "--key", tls.keyPath, "--oauth", "basic"]),
    ],
    {
      env: { PATH: process.env["PATH"] ?? "", AZURITE_ACCOUNTS: `${ACCOUNT}:${KEY}` },
      stdio: ["ignore", Bun.file(log), Bun.file(log)],
    },
  );
  atEnd(() => {
    child.kill("SIGKILL");
    rmSync(data, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  const endpoint = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}/${ACCOUNT}`;
  await untilItListens(child, endpoint, log);
  if (tls === undefined) return { endpoint, client: await openClient(folder, endpoint) };
  // The client does not trust a test's authority.
  const { origin } = new URL(endpoint);
  const plain = await startFaultProxy(origin);
  return { endpoint, client: await openClient(folder, endpoint.replace(origin, plain.endpoint)) };
}

/** Any answer will do: it refuses the question. */
async function untilItListens(child: Bun.Subprocess, endpoint: string, log: string): Promise<void> {
  while (child.exitCode === null) {
    const tls = { rejectUnauthorized: false };
    const answer = await fetch(endpoint, { tls }).catch(() => undefined);
    if (answer !== undefined) return;
    await Bun.sleep(50);
  }
  throw new Error(`Azurite ended: ${await Bun.file(log).text()}`);
}

async function openClient(folder: string, endpoint: string): Promise<BlobClient> {
  const path = join(folder, "node_modules/@azure/storage-blob/dist/esm/index.js");
  const sdk = (await import(path)) as {
    BlobServiceClient: new (url: string, credential: unknown) => BlobClient;
    StorageSharedKeyCredential: new (account: string, key: string) => unknown;
  };
  const credential = new sdk.StorageSharedKeyCredential(ACCOUNT, KEY);
  return new sdk.BlobServiceClient(endpoint, credential);
}

export interface BlobContainer {
  name: string;
  server: BlobServer;
  /** Every blob, and every one of which there are blocks only. */
  keys(): Promise<string[]>;
  unfinished(): Promise<string[]>;
  read(key: string): Promise<Uint8Array>;
  put(key: string, bytes: Uint8Array): Promise<void>;
  metadata(key: string): Promise<Record<string, string>>;
  tags(key: string): Promise<Record<string, string>>;
  md5(key: string): Promise<string>;
}

let count = 0;

export async function makeContainer(
  on: Promise<BlobServer> = startAzurite(),
): Promise<BlobContainer> {
  const server = await on;
  const name = `cores-${process.pid}-${++count}`;
  const container = server.client.getContainerClient(name);
  await container.create();
  const names = async (includeUncommitedBlobs: boolean) => {
    const blobs = await Array.fromAsync(container.listBlobsFlat({ includeUncommitedBlobs }));
    return blobs.map((blob) => blob.name).sort();
  };
  const blob = (key: string) => container.getBlockBlobClient(key);
  return {
    name,
    server,
    keys: () => names(true),
    async unfinished() {
      const whole = new Set(await names(false));
      return (await names(true)).filter((key) => !whole.has(key));
    },
    read: async (key) => new Uint8Array(await blob(key).downloadToBuffer()),
    async put(key, bytes) {
      await blob(key).upload(bytes, bytes.length);
    },
    metadata: async (key) => (await blob(key).getProperties()).metadata ?? {},
    tags: async (key) => (await blob(key).getTags()).tags,
    async md5(key) {
      const { contentMD5 } = await blob(key).getProperties();
      return Buffer.from(contentMD5 ?? []).toString("hex");
    },
  };
}
