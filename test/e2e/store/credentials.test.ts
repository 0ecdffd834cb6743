// The AWS credential chain from the compiled executable: IRSA, EKS Pod Identity and the node's role, with
// sessions that the real S3 server gives and really refuses when they are over.
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { makeBucket } from "../../support/bucket.ts";
import {
  startCredentialEndpoints,
  type CredentialSource,
} from "../../support/credential-endpoints.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { executablePath } from "../../support/executable.ts";
import { gatedTest } from "../../support/gate.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
import { bucketVariables } from "../../support/store-settings.ts";
import { startSweep } from "../../support/sweep-process.ts";

const SOURCES: CredentialSource[] = ["irsa", "pod-identity", "imds"];
const NO_KEYS = { S3_ACCESS_KEY: "", S3_SECRET: "" };

const storeTest = (name: string, body: () => Promise<void>) =>
  gatedTest(name, [s3Obstacle()], body, 120_000);

for (const source of SOURCES)
  storeTest(`${source} gives credentials when there are no static keys`, async () => {
    const bucket = await makeBucket();
    const folder = temporaryFolder();
    const lifetimes = { realSeconds: 3600, claimedSeconds: 3600 };
    const server = await bucket.server.withSessions();
    const endpoints = startCredentialEndpoints(server, temporaryFolder(), lifetimes);
    const sha256 = await sha256Of(writeDump(folder, "T.zip", { coreBytes: 12_000_000 }));
    const address = { ...NO_KEYS, S3_ENDPOINT: server.endpoint };
    const variables = { ...bucketVariables(bucket, address), ...endpoints.variables(source) };
    const { code, log } = await (await startSweep(folder, variables)).ended;
    if (code !== 0) console.error(log);
    expect(code).toBe(0);
    expect(await bucket.sha256("T.zip")).toBe(sha256);
    expect(endpoints.issued()).toBe(1);
    endpoints.stop();
  });

storeTest("a service account's role goes before static keys, as in the ancestor", async () => {
  const bucket = await makeBucket();
  const folder = temporaryFolder();
  const lifetimes = { realSeconds: 3600, claimedSeconds: 3600 };
  const server = await bucket.server.withSessions();
  const endpoints = startCredentialEndpoints(server, temporaryFolder(), lifetimes);
  writeDump(folder, "T.zip", { coreBytes: 1000 });
  const wrong = { S3_ACCESS_KEY: "left-over", S3_SECRET: "x", S3_ENDPOINT: server.endpoint };
  const variables = { ...bucketVariables(bucket, wrong), ...endpoints.variables("irsa") };
  expect((await (await startSweep(folder, variables)).ended).code).toBe(0);
  expect(endpoints.issued()).toBe(1);
  endpoints.stop();
});

/** A session of three seconds, and an upload that takes ten. */
async function uploadLongerThanSession(source: CredentialSource, claimedSeconds: number) {
  const bucket = await makeBucket();
  const server = await bucket.server.withSessions();
  const proxy = await startFaultProxy(server.endpoint);
  proxy.setRates({ slow_read: 1 });
  const folder = temporaryFolder();
  const endpoints = startCredentialEndpoints(server, temporaryFolder(), {
    realSeconds: 3,
    claimedSeconds,
  });
  const sha256 = await sha256Of(writeDump(folder, "T.zip", { coreBytes: 25_000_000 }));
  const variables = bucketVariables(bucket, { ...NO_KEYS, S3_ENDPOINT: proxy.endpoint });
  const sweep = await startSweep(folder, { ...variables, ...endpoints.variables(source) });
  const { code, log } = await sweep.ended;
  if (code !== 0) console.error(log);
  expect(code).toBe(0);
  expect(await bucket.sha256("T.zip")).toBe(sha256);
  expect(await bucket.unfinished()).toEqual([]);
  expect(endpoints.issued()).toBeGreaterThan(1);
  endpoints.stop();
  proxy.stop();
}

// Side by side, as most of their time is waiting.
storeTest("credentials that end in the middle of an upload are renewed in time", async () => {
  await Promise.all(SOURCES.map((source) => uploadLongerThanSession(source, 3)));
});

storeTest("credentials that end before their time cost one request", async () => {
  await Promise.all(SOURCES.map((source) => uploadLongerThanSession(source, 3600)));
});

storeTest("without any credentials the message names the ways to get them", async () => {
  const bucket = await makeBucket();
  const folder = temporaryFolder();
  writeDump(folder, "T.zip", { coreBytes: 1000 });
  const { code, log } = await (
    await startSweep(folder, {
      ...bucketVariables(bucket, NO_KEYS),
      AWS_EC2_METADATA_DISABLED: "true",
    })
  ).ended;
  expect(code).toBe(1);
  expect(log).toMatch(/no credentials for S3 could be had.*IRSA/);
});

storeTest("AWS_* in a .env beside the executable serves a VM without a role", async () => {
  const bucket = await makeBucket();
  const [folder, home] = [temporaryFolder(), temporaryFolder()];
  writeDump(folder, "T.zip", { coreBytes: 1000 });
  const { accessKey, secret } = bucket.server;
  writeFileSync(
    join(home, ".env"),
    `AWS_ACCESS_KEY_ID=${accessKey}\nAWS_SECRET_ACCESS_KEY=${secret}\n`,
  );
  const executable = join(home, "core-dump-handler");
  copyFileSync(await executablePath(), executable);
  const env = { CORE_DIR: folder, HOST_DIR: folder, ...bucketVariables(bucket, NO_KEYS) };
  const sweep = Bun.spawn([executable, "sweep"], { env, stdout: "pipe", stderr: "pipe" });
  const log = await new Response(sweep.stdout).text();
  if ((await sweep.exited) !== 0) console.error(log);
  expect(await bucket.keys()).toEqual(["T.zip"]);
});

storeTest("without a region and an address the message says which to set", async () => {
  const bucket = await makeBucket();
  const folder = temporaryFolder();
  writeDump(folder, "T.zip", { coreBytes: 1000 });
  const nowhere = { S3_ENDPOINT: "", S3_REGION: "" };
  const { log } = await (await startSweep(folder, bucketVariables(bucket, nowhere))).ended;
  expect(log).toMatch(/no region for S3 is set.*S3_REGION/);
});
