// One zip to a real S3 server and back: what arrives, what is kept, what is said when it cannot be.
import { existsSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { expect } from "bun:test";
import { describeError } from "../../../src/model/app-error.ts";
import { openDelivery, type DeliveryOutcome } from "../../../src/agent/delivery/delivery.ts";
import { makeBucket, type Bucket } from "../../support/bucket.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { gatedTest } from "../../support/gate.ts";
import { freePorts, s3Obstacle } from "../../support/radosgw.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { bucketSettings } from "../../support/store-settings.ts";

const storeTest = (name: string, body: () => Promise<void>) =>
  gatedTest(name, [s3Obstacle()], body, 120_000);
const never = new AbortController().signal;

function deliver(
  path: string,
  bucket: Bucket,
  changes: Record<string, string> = {},
): Promise<DeliveryOutcome> {
  return openDelivery(bucketSettings(bucket, changes), recordedLog()).deliver(path, never);
}

function messageOf(outcome: DeliveryOutcome): string {
  return outcome.kind === "failed" ? describeError(outcome.error) : outcome.kind;
}

for (const coreBytes of [0, 1000, 4_000_000, 30_000_000])
  storeTest(
    `a dump with a core of ${coreBytes} bytes arrives whole, and the file goes`,
    async () => {
      const bucket = await makeBucket();
      const folder = temporaryFolder();
      const path = writeDump(folder, "T.zip", { coreBytes });
      const sha256 = await sha256Of(path);
      const outcome = await deliver(path, bucket);
      expect(outcome).toMatchObject({ kind: "delivered", key: "T.zip" });
      expect(await bucket.keys()).toEqual(["T.zip"]);
      expect(await bucket.sha256("T.zip")).toBe(sha256);
      expect(readdirSync(folder)).toEqual([]);
      expect(await bucket.unfinished()).toEqual([]);
    },
  );

const WRONG: [string, Record<string, string>, RegExp][] = [
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
];

for (const [what, changes, message] of WRONG)
  for (const coreBytes of [1000, 12_000_000])
    storeTest(`${what} is one clear message and keeps the file (${coreBytes} bytes)`, async () => {
      const bucket = await makeBucket();
      const folder = temporaryFolder();
      const path = writeDump(folder, "T.zip", { coreBytes });
      const outcome = await deliver(path, bucket, changes);
      expect(messageOf(outcome)).toMatch(message);
      expect(existsSync(path)).toBe(true);
      expect(await bucket.keys()).toEqual([]);
    });

storeTest("a dead endpoint is one clear message and keeps the file", async () => {
  const bucket = await makeBucket();
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  const [port] = await freePorts(1);
  const outcome = await deliver(path, bucket, { S3_ENDPOINT: `http://127.0.0.1:${port}` });
  expect(messageOf(outcome)).toMatch(/127\.0\.0\.1:\d+ cannot be reached.*S3_ENDPOINT/);
  expect(existsSync(path)).toBe(true);
});

storeTest("an object that is the same already is not sent again", async () => {
  const bucket = await makeBucket();
  for (const coreBytes of [1000, 12_000_000]) {
    const path = writeDump(temporaryFolder(), `T-${coreBytes}.zip`, { coreBytes });
    const bytes = await Bun.file(path).bytes();
    expect((await deliver(path, bucket)).kind).toBe("delivered");
    await Bun.write(path, bytes);
    expect(await deliver(path, bucket)).toMatchObject({ kind: "delivered", key: basename(path) });
    expect(existsSync(path)).toBe(false);
  }
  expect(await bucket.keys()).toHaveLength(2);
});

storeTest("a different object of the same key is never overwritten", async () => {
  const bucket = await makeBucket();
  await bucket.put("T.zip", "someone else's");
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 12_000_000 });
  const sha256 = await sha256Of(path);
  expect(await deliver(path, bucket)).toMatchObject({ kind: "delivered", key: "T-1.zip" });
  expect(await bucket.keys()).toEqual(["T-1.zip", "T.zip"]);
  expect(await bucket.sha256("T-1.zip")).toBe(sha256);
  const others = new Bun.CryptoHasher("sha256").update("someone else's").digest("hex");
  expect(await bucket.sha256("T.zip")).toBe(others);
});

storeTest("the payload is signed over plain http: a store that checks it takes it", async () => {
  const bucket = await makeBucket();
  for (const S3_SIGN_PAYLOAD of ["always", "never"]) {
    const path = writeDump(temporaryFolder(), `${S3_SIGN_PAYLOAD}.zip`, { coreBytes: 6_000_000 });
    expect((await deliver(path, bucket, { S3_SIGN_PAYLOAD })).kind).toBe("delivered");
  }
});

storeTest("metadata and tags say what is in the object", async () => {
  const bucket = await makeBucket();
  const info = {
    namespace: "shop",
    podname: "cart-0\nx: y",
    container_name: "app",
    signal: "11",
    node_hostname: "node-1",
    core_complete: true,
    timestamp: "1700000000",
  };
  const changes = {
    STORE_TAGS: "team=core,ns={namespace},pod={podname}",
    STORE_KEY_TEMPLATE: "{cluster}/{namespace}/{date}/{filename}",
    CLUSTER_NAME: "prod",
  };
  for (const [coreBytes, deflateInfo] of [
    [1000, true],
    [6_000_000, false],
  ] as const) {
    const name = `${coreBytes}.zip`;
    const path = writeDump(temporaryFolder(), name, { coreBytes, info, deflateInfo });
    const key = `prod/shop/2023-11-14/${name}`;
    expect(await deliver(path, bucket, changes)).toMatchObject({ kind: "delivered", key });
    expect(await bucket.metadata(key)).toMatchObject({
      namespace: "shop",
      pod: "cart-0_x: y",
      container: "app",
      signal: "11",
      node: "node-1",
      corecomplete: "true",
    });
    // radosgw 16 drops the tags of a multipart upload; a single put keeps them.
    if (coreBytes < 5_000_000)
      expect(await bucket.tags(key)).toEqual({ team: "core", ns: "shop", pod: "cart-0_x: y" });
  }
});
