// Unfinished uploads that earlier runs left at a real store: ours are found and aborted, others are not touched.
import { CreateMultipartUploadCommand, S3Client } from "@aws-sdk/client-s3";
import { existsSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { openDelivery } from "../../../src/agent/delivery/delivery.ts";
import { journalPathOf, newJournal, type Journal } from "../../../src/agent/delivery/journal.ts";
import { makeBucket, type Bucket } from "../../support/bucket.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { gatedTest } from "../../support/gate.ts";
import { freePorts, s3Obstacle } from "../../support/radosgw.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { bucketSettings } from "../../support/store-settings.ts";

const never = new AbortController().signal;
const HOUR_MS = 3_600_000;
const storeTest = (name: string, body: () => Promise<void>) =>
  gatedTest(name, [s3Obstacle()], body, 60_000);

/** Begins an upload behind the agent's back; its id. */
async function beginUpload({ server, name }: Bucket, key: string): Promise<string> {
  const client = new S3Client({
    endpoint: server.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secret },
  });
  const command = new CreateMultipartUploadCommand({ Bucket: name, Key: key });
  return (await client.send(command)).UploadId ?? "";
}

function journalFor(path: string, changes: Partial<Journal>): void {
  const { size, mtimeMs, ino } = statSync(path);
  const journal = newJournal({ sizeBytes: size, mtimeMs, inode: ino }, "T.zip");
  writeFileSync(journalPathOf(path), JSON.stringify({ ...journal, ...changes }));
}

storeTest("an upload whose id was never learnt is found by its key and aborted", async () => {
  const bucket = await makeBucket();
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 12_000_000 });
  await beginUpload(bucket, "T.zip");
  await beginUpload(bucket, "T.zip.of-another");
  journalFor(path, { opening: { key: "T.zip", sinceMs: Date.now() - 1000 } });
  const outcome = await openDelivery(bucketSettings(bucket), recordedLog()).deliver(path, never);
  expect(outcome.kind).toBe("delivered");
  expect(await bucket.keys()).toEqual(["T.zip"]);
  expect(await bucket.unfinished()).toEqual(["T.zip.of-another"]);
});

storeTest("an upload to our key that began long before ours is someone else's", async () => {
  const bucket = await makeBucket();
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 12_000_000 });
  await beginUpload(bucket, "T.zip");
  journalFor(path, { opening: { key: "T.zip", sinceMs: Date.now() + HOUR_MS } });
  const outcome = await openDelivery(bucketSettings(bucket), recordedLog()).deliver(path, never);
  expect(outcome.kind).toBe("delivered");
  expect(await bucket.unfinished()).toEqual(["T.zip"]);
});

storeTest("an object that came while an upload was interrupted is not overwritten", async () => {
  const bucket = await makeBucket();
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 12_000_000 });
  const sha256 = await sha256Of(path);
  journalFor(path, { upload: { key: "T.zip", uploadId: await beginUpload(bucket, "T.zip") } });
  await bucket.put("T.zip", "someone else's");
  const outcome = await openDelivery(bucketSettings(bucket), recordedLog()).deliver(path, never);
  expect(outcome).toMatchObject({ kind: "delivered", key: "T-1.zip" });
  expect(await bucket.sha256("T-1.zip")).toBe(sha256);
  const others = new Bun.CryptoHasher("sha256").update("someone else's").digest("hex");
  expect(await bucket.sha256("T.zip")).toBe(others);
  expect(await bucket.unfinished()).toEqual([]);
});

storeTest("an upload that the store has forgotten begins anew", async () => {
  const bucket = await makeBucket();
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 12_000_000 });
  journalFor(path, { upload: { key: "T.zip", uploadId: "2~no-such-upload" } });
  const delivery = openDelivery(bucketSettings(bucket), recordedLog());
  expect(await delivery.deliver(path, never)).toMatchObject({ kind: "delivered", key: "T.zip" });
});

storeTest("the upload of a dump that was removed is aborted by the next sweep", async () => {
  const bucket = await makeBucket();
  const folder = temporaryFolder();
  const path = writeDump(folder, "T.zip", { coreBytes: 12_000_000 });
  journalFor(path, { upload: { key: "T.zip", uploadId: await beginUpload(bucket, "T.zip") } });
  renameSync(path, join(temporaryFolder(), "T.zip"));
  const delivery = openDelivery(bucketSettings(bucket), recordedLog());
  expect(await delivery.reclaim(folder, never)).toBe(1);
  expect(await bucket.unfinished()).toEqual([]);
  expect(existsSync(journalPathOf(path))).toBe(false);
});

storeTest("the upload of another dump that had the same name is aborted", async () => {
  const bucket = await makeBucket();
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 12_000_000 });
  journalFor(path, {
    file: { sizeBytes: 1, mtimeMs: 1, inode: 1 },
    upload: { key: "T.zip", uploadId: await beginUpload(bucket, "T.zip") },
  });
  const outcome = await openDelivery(bucketSettings(bucket), recordedLog()).deliver(path, never);
  expect(outcome.kind).toBe("delivered");
  expect(await bucket.unfinished()).toEqual([]);
});

storeTest(
  "while the store cannot be reached, the journal keeps what it knows of an upload",
  async () => {
    const bucket = await makeBucket();
    const folder = temporaryFolder();
    const path = writeDump(folder, "T.zip", { coreBytes: 100 });
    journalFor(path, { upload: { key: "T.zip", uploadId: await beginUpload(bucket, "T.zip") } });
    unlinkSync(path);
    const [port] = await freePorts(1);
    const dead = bucketSettings(bucket, { S3_ENDPOINT: `http://127.0.0.1:${port}` });
    expect(await openDelivery(dead, recordedLog()).reclaim(folder, never)).toBe(0);
    expect(existsSync(journalPathOf(path))).toBe(true);
    expect(await openDelivery(bucketSettings(bucket), recordedLog()).reclaim(folder, never)).toBe(
      1,
    );
    expect(await bucket.unfinished()).toEqual([]);
  },
);
