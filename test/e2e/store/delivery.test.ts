// What only S3 has, at a real server: signed payloads, metadata and tags. What every store must do is in
// conformance.test.ts.
import { expect } from "bun:test";
import { openDelivery, type DeliveryOutcome } from "../../../src/agent/delivery/delivery.ts";
import { makeBucket, type Bucket } from "../../support/bucket.ts";
import { temporaryFolder, writeDump } from "../../support/dumps.ts";
import { gatedTest } from "../../support/gate.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
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
