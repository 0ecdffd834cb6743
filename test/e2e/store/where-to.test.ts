// Addresses, trust, encryption and checksums: the settings that other stores than AWS's make one need.
import { existsSync, statSync, writeFileSync } from "node:fs";
import { expect } from "bun:test";
import { openDelivery } from "../../../src/agent/delivery/delivery.ts";
import { journalPathOf, newJournal } from "../../../src/agent/delivery/journal.ts";
import { describeError } from "../../../src/model/app-error.ts";
import { makeBucket } from "../../support/bucket.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import {
  DNS_NAME,
  KMS_KEY_ID,
  s3Obstacle,
  WRITER,
  WRITER_ACCESS_KEY,
} from "../../support/radosgw.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { bucketSettings, bucketVariables } from "../../support/store-settings.ts";
import { startSweep } from "../../support/sweep-process.ts";
import { startTlsFront } from "../../support/tls-front.ts";

const never = new AbortController().signal;
const SIZES = [1000, 12_000_000];

const storeTest = (name: string, body: () => Promise<void>) =>
  gatedTest(name, [s3Obstacle(), missingProgram("openssl")], body, 120_000);

/** Delivers a dump of each size with these settings, and compares what arrived. */
async function arrives(changes: Record<string, string>): Promise<void> {
  const bucket = await makeBucket();
  for (const coreBytes of SIZES) {
    const path = writeDump(temporaryFolder(), `T-${coreBytes}.zip`, { coreBytes });
    const sha256 = await sha256Of(path);
    const delivery = openDelivery(bucketSettings(bucket, changes), recordedLog());
    const outcome = await delivery.deliver(path, never);
    if (outcome.kind === "failed") throw new Error(describeError(outcome.error));
    expect(outcome.kind).toBe("delivered");
    expect(await bucket.sha256(`T-${coreBytes}.zip`)).toBe(sha256);
  }
}

storeTest(
  "an https store behind a private authority is trusted through STORE_CA_BUNDLE",
  async () => {
    const { server } = await makeBucket();
    const front = await startTlsFront(server.endpoint);
    await arrives({ S3_ENDPOINT: front.endpoint, STORE_CA_BUNDLE: front.caPath });
    front.stop();
  },
);

storeTest("without the bundle the message names the certificate, and the file stays", async () => {
  const bucket = await makeBucket();
  const front = await startTlsFront(bucket.server.endpoint);
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
  const settings = bucketSettings(bucket, { S3_ENDPOINT: front.endpoint });
  const outcome = await openDelivery(settings, recordedLog()).deliver(path, never);
  const message = outcome.kind === "failed" ? describeError(outcome.error) : outcome.kind;
  expect(message).toMatch(/certificate we do not trust.*STORE_CA_BUNDLE/);
  expect(existsSync(path)).toBe(true);
  front.stop();
});

storeTest("virtual-host style names the bucket in the host, through an HTTP proxy", async () => {
  const bucket = await makeBucket();
  const proxy = await startFaultProxy(bucket.server.endpoint);
  const folder = temporaryFolder();
  const sha256 = await sha256Of(writeDump(folder, "T.zip", { coreBytes: 12_000_000 }));
  const changes = { S3_ENDPOINT: `http://${DNS_NAME}`, S3_ADDRESSING: "virtual" };
  const variables = { ...bucketVariables(bucket, changes), HTTP_PROXY: proxy.endpoint };
  const { code, log } = await (await startSweep(folder, variables)).ended;
  if (code !== 0) console.error(log);
  expect(code).toBe(0);
  expect([...proxy.hosts]).toEqual([`${bucket.name}.${DNS_NAME}`]);
  expect(await bucket.sha256("T.zip")).toBe(sha256);
  proxy.stop();
});

storeTest("SSE-KMS with a key id is asked for, and what arrives is verified", () =>
  arrives({ S3_SSE: "aws:kms", S3_SSE_KMS_KEY_ID: KMS_KEY_ID }),
);

storeTest("SSE-KMS without metadata: the ETag in the answer tells what is ours", () =>
  arrives({ S3_SSE: "aws:kms", S3_SSE_KMS_KEY_ID: KMS_KEY_ID, STORE_METADATA: "false" }),
);

storeTest("CRC32 is sent as a header, which even a store that ignores it takes", () =>
  arrives({ S3_REQUEST_CHECKSUM: "when_supported", S3_RESPONSE_CHECKSUM: "when_supported" }),
);

storeTest("without conditional writes and without metadata the look before decides", () =>
  arrives({ S3_CONDITIONAL_WRITES: "false", STORE_METADATA: "false" }),
);

storeTest("a storage class goes along", () => arrives({ S3_STORAGE_CLASS: "STANDARD" }));

storeTest(
  "with the right to put objects and no other, dumps arrive; a cut upload begins anew",
  async () => {
    const bucket = await makeBucket();
    // Objects belong to who wrote them: the bucket's owner needs a right of its own to read them.
    await bucket.allow({ [WRITER]: ["s3:PutObject"], test: ["s3:GetObject"] });
    const settings = bucketSettings(bucket, { S3_ACCESS_KEY: WRITER_ACCESS_KEY });
    const log = recordedLog();
    for (const coreBytes of SIZES) {
      const path = writeDump(temporaryFolder(), `T-${coreBytes}.zip`, { coreBytes });
      const sha256 = await sha256Of(path);
      const { size, mtimeMs, ino } = statSync(path);
      const journal = newJournal({ sizeBytes: size, mtimeMs, inode: ino }, `T-${coreBytes}.zip`);
      journal.upload = { key: `T-${coreBytes}.zip`, uploadId: "2~of-an-earlier-attempt" };
      writeFileSync(journalPathOf(path), JSON.stringify(journal));
      const outcome = await openDelivery(settings, log).deliver(path, never);
      if (outcome.kind === "failed") throw new Error(describeError(outcome.error));
      expect(outcome.kind).toBe("delivered");
      expect(await bucket.sha256(`T-${coreBytes}.zip`)).toBe(sha256);
    }
  },
);

storeTest(
  "without any right the message names those that are used, and the file stays",
  async () => {
    const bucket = await makeBucket();
    const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
    const settings = bucketSettings(bucket, { S3_ACCESS_KEY: WRITER_ACCESS_KEY });
    const outcome = await openDelivery(settings, recordedLog()).deliver(path, never);
    const message = outcome.kind === "failed" ? describeError(outcome.error) : outcome.kind;
    expect(message).toMatch(/access to bucket cores-\S+ was denied \(upload T.zip\).*s3:PutObject/);
    expect(existsSync(path)).toBe(true);
  },
);

for (const STORE_METADATA of ["true", "false"])
  for (const as of ["kms", "md5"] as const)
    storeTest(
      `ETags that are no MD5s, and look like ${as}, do not keep a dump here (metadata: ${STORE_METADATA})`,
      async () => {
        const bucket = await makeBucket();
        const proxy = await startFaultProxy(bucket.server.endpoint);
        proxy.disguiseEtags(as);
        const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 1000 });
        const sha256 = await sha256Of(path);
        const settings = bucketSettings(bucket, { S3_ENDPOINT: proxy.endpoint, STORE_METADATA });
        expect(await openDelivery(settings, recordedLog()).deliver(path, never)).toMatchObject({
          kind: "delivered",
          key: "T.zip",
        });
        expect(await bucket.keys()).toEqual(["T.zip"]);
        expect(await bucket.sha256("T.zip")).toBe(sha256);
        proxy.stop();
      },
    );
