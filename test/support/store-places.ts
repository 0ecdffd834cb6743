// Every kind of store, each opened empty for one test: the entries that store-conformance.ts runs against. A new
// adapter adds one here.
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AdapterName } from "../../src/store/open-store.ts";
import { ACCOUNT, KEY, makeContainer } from "./azurite.ts";
import { azuriteObstacle } from "./azurite-package.ts";
import { makeBucket } from "./bucket.ts";
import { startGcsServer, type GcsOptions } from "./gcs-server.ts";
import { temporaryFolder } from "./dumps.ts";
import { md5, startMemoryStore, type Oddities } from "./memory-store.ts";
import { freePorts, s3Obstacle } from "./radosgw.ts";
import { s3Error } from "./scripted-store.ts";
import { bucketVariables } from "./store-settings.ts";
import { startStrictFront } from "./strict-front.ts";

/** An empty store, looked at past the code under test. */
export interface Place {
  /** The agent's variables that name it. */
  variables: Record<string, string>;
  /** Everything in it, hidden and unfinished things too. */
  keys(): Promise<string[]>;
  read(key: string): Promise<Uint8Array>;
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Settings that name no store that is there, or not for us, and the line that a person gets. */
  wrong: readonly (readonly [what: string, changes: Record<string, string>, line: RegExp])[];
  close(): Promise<void> | void;
}

export interface StoreKind {
  name: string;
  adapter: AdapterName;
  /** Why it cannot run here; a kind without one needs nothing. */
  obstacle?: string | undefined;
  /** It does not notice by itself that a key was taken between the look and the write. */
  ignoresTaken?: boolean;
  /** An upload is its parts there and nothing else: a part of one that was abandoned is taken. */
  knowsNoUploads?: boolean;
  /** It has no list of uploads. */
  listsNoUploads?: boolean;
  /** It needs a server: its tests are e2e tests. */
  isReal: boolean;
  open(): Promise<Place>;
}

export const STORE_KINDS: readonly StoreKind[] = [
  { name: "a directory", adapter: "directory", isReal: false, open: openShare },
  { name: "S3 in memory", adapter: "s3", isReal: false, open: () => openMemory({}) },
  {
    name: "a prefix of S3 in memory",
    adapter: "s3",
    isReal: false,
    open: () =>
      openMemory({}, { S3_BUCKET_NAME: "", STORE_URL: "s3://cores/team-a/prod" }, "team-a/prod/"),
  },
  {
    name: "S3 whose ETags tell nothing",
    adapter: "s3",
    isReal: false,
    open: () =>
      openMemory({
        headers: { "x-amz-server-side-encryption": "aws:kms" },
        etag: (bytes) => md5(Buffer.concat([bytes, Buffer.from("salt")])),
      }),
  },
  {
    name: "S3 without metadata and conditions",
    adapter: "s3",
    ignoresTaken: true,
    isReal: false,
    open: () =>
      openMemory(
        { refuse: ({ headers }) => refusal(headers) },
        { STORE_METADATA: "false", S3_REQUEST_CHECKSUM: "when_supported" },
      ),
  },
  { name: "radosgw", adapter: "s3", obstacle: s3Obstacle(), isReal: true, open: openRadosgw },
  {
    name: "Cloud Storage in memory",
    adapter: "google",
    listsNoUploads: true,
    isReal: false,
    open: () => openGcs({}),
  },
  {
    name: "Cloud Storage that keeps little of each chunk",
    adapter: "google",
    listsNoUploads: true,
    isReal: false,
    open: async () => {
      const place = await openGcs({ chunkMaxBytes: 700_000 });
      // A dead endpoint takes its time, and is met by the other kinds.
      return { ...place, wrong: place.wrong.slice(0, 1) };
    },
  },
  {
    name: "Azurite",
    adapter: "azure",
    obstacle: azuriteObstacle(),
    knowsNoUploads: true,
    isReal: true,
    open: openAzurite,
  },
  {
    name: "radosgw behind a strict front",
    adapter: "s3",
    obstacle: s3Obstacle(),
    ignoresTaken: true,
    isReal: true,
    async open() {
      const place = await openRadosgw();
      const upstream = place.variables["S3_ENDPOINT"] ?? "";
      const front = startStrictFront(upstream, ({ headers }) => refusal(headers));
      const variables = { ...place.variables, S3_ENDPOINT: front.endpoint };
      return { ...place, variables, close: () => front.stop() };
    },
  },
];

/** What stores that are nearly S3 take offence at. */
function refusal(headers: Headers): Response | undefined {
  const isOdd = [...headers.keys()].some((name) => /^x-amz-meta-.*-/.test(name));
  return isOdd || headers.has("if-none-match") ? s3Error(400, "InvalidArgument") : undefined;
}

async function openShare(): Promise<Place> {
  const share = temporaryFolder();
  const absent = join(temporaryFolder(), "mnt");
  return {
    variables: { STORE_URL: pathToFileURL(share).href },
    async keys() {
      const found = readdirSync(share, { recursive: true, encoding: "utf8" });
      return found.filter((path) => !statSync(join(share, path)).isDirectory()).sort();
    },
    read: (key) => Bun.file(join(share, key)).bytes(),
    async put(key, bytes) {
      mkdirSync(dirname(join(share, key)), { recursive: true });
      await Bun.write(join(share, key), bytes);
    },
    wrong: [["no share", { STORE_URL: pathToFileURL(absent).href }, /cannot be reached.*mounted/]],
    close() {
      // The dump would fill the node's own disk.
      if (existsSync(absent)) throw new Error(`${absent} was made`);
    },
  };
}

async function openMemory(
  odd: Oddities,
  changes: Record<string, string> = {},
  prefix = "",
): Promise<Place> {
  const store = startMemoryStore(odd);
  const { objects } = store;
  const [port] = await freePorts(1);
  const folder = `/cores/${prefix}`;
  // What is not below the prefix keeps its whole path, so that no test expects it.
  const keyOf = (path: string) => (path.startsWith(folder) ? path.slice(folder.length) : path);
  return {
    variables: {
      S3_ENDPOINT: store.endpoint,
      S3_BUCKET_NAME: "cores",
      S3_ACCESS_KEY: "AK",
      S3_SECRET: "SK",
      STORE_PART_SIZE: "5Mi",
      ...changes,
    },
    keys: async () => [...objects.keys(), ...store.unfinished()].map(keyOf).sort(),
    read: async (key) => new Uint8Array(objects.get(folder + key)?.bytes ?? []),
    async put(key, bytes) {
      objects.set(folder + key, { bytes, etag: md5(bytes), metadata: {} });
    },
    wrong: [deadEndpoint(port)],
    close: () => store.stop(),
  };
}

async function openRadosgw(): Promise<Place> {
  const bucket = await makeBucket();
  const [port] = await freePorts(1);
  return {
    variables: bucketVariables(bucket),
    keys: async () => [...(await bucket.keys()), ...(await bucket.unfinished())].sort(),
    async read(key) {
      const path = join(temporaryFolder(), "object");
      await bucket.fetch(key, path);
      return Bun.file(path).bytes();
    },
    put: (key, bytes) => bucket.put(key, bytes),
    wrong: [
      [
        "a wrong access key",
        { S3_ACCESS_KEY: "NOBODY" },
        /does not know this access key.*S3_ACCESS_KEY/,
      ],
      ["a wrong secret", { S3_SECRET: "wrong" }, /secret does not fit.*S3_SECRET/],
      [
        "a missing bucket",
        { S3_BUCKET_NAME: "no-such-bucket" },
        /no bucket no-such-bucket.*S3_BUCKET_NAME/,
      ],
      deadEndpoint(port),
    ],
    close: () => {},
  };
}

async function openGcs(options: GcsOptions): Promise<Place> {
  const server = startGcsServer(options);
  const { objects, bucket } = server;
  const [port] = await freePorts(1);
  const prefix = "team-a/";
  const keyOf = (key: string) => (key.startsWith(prefix) ? key.slice(prefix.length) : `/${key}`);
  return {
    variables: {
      STORE_URL: `gs://${bucket}/team-a`,
      STORAGE_EMULATOR_HOST: server.endpoint,
      STORE_PART_SIZE: "5Mi",
    },
    keys: async () => [...objects.keys(), ...server.unfinished()].map(keyOf).sort(),
    read: async (key) => new Uint8Array(objects.get(prefix + key)?.bytes ?? []),
    async put(key, bytes) {
      server.put(prefix + key, bytes);
    },
    wrong: [
      [
        "a missing bucket",
        { STORE_URL: "gs://no-such-bucket" },
        /no bucket no-such-bucket.*STORE_URL/,
      ],
      [
        "a dead endpoint",
        { STORAGE_EMULATOR_HOST: `127.0.0.1:${port}` },
        /127\.0\.0\.1:\d+ cannot be reached.*STORAGE_EMULATOR_HOST/,
      ],
    ],
    close: () => server.stop(),
  };
}

async function openAzurite(): Promise<Place> {
  const container = await makeContainer();
  const { endpoint } = container.server;
  const [port] = await freePorts(1);
  const prefix = "team-a/";
  const url = (place: string) => `${endpoint}/${place}/team-a`;
  return {
    variables: {
      STORE_URL: url(container.name),
      AZURE_STORAGE_KEY: KEY,
      STORE_PART_SIZE: "5Mi",
    },
    keys: async () =>
      (await container.keys()).map((key) =>
        key.startsWith(prefix) ? key.slice(prefix.length) : `/${key}`,
      ),
    read: (key) => container.read(prefix + key),
    put: (key, bytes) => container.put(prefix + key, bytes),
    wrong: [
      [
        "a wrong key",
        { AZURE_STORAGE_KEY: "AAAA" },
        /refuses the account's key.*AZURE_STORAGE_KEY/,
      ],
      [
        "a wrong signature",
        { AZURE_STORAGE_KEY: "", AZURE_STORAGE_SAS_TOKEN: "sv=2021-12-02&sr=c&sp=rcw&sig=AAAA" },
        /refuses the signature.*AZURE_STORAGE_SAS_TOKEN/,
      ],
      [
        "a missing container",
        { STORE_URL: url("no-such-container") },
        /has no container no-such-container.*STORE_URL/,
      ],
      [
        "a dead endpoint",
        { STORE_URL: `http://127.0.0.1:${port}/${ACCOUNT}/cores` },
        /127\.0\.0\.1:\d+\S* cannot be reached.*STORE_URL/,
      ],
    ],
    close: () => {},
  };
}

function deadEndpoint(port: number | undefined): Place["wrong"][number] {
  const changes = { S3_ENDPOINT: `http://127.0.0.1:${port}` };
  return ["a dead endpoint", changes, /127\.0\.0\.1:\d+ cannot be reached.*S3_ENDPOINT/];
}
