// The agent's process killed in the middle of uploads, two of them at once, and faults on the way: every
// object arrives once and whole. The full-size campaign is test/campaign.ts.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "bun:test";
import { journalPathOf } from "../../../src/agent/delivery/journal.ts";
import { makeBucket } from "../../support/bucket.ts";
import { MIXED_RATES, formatCampaign, runCampaign } from "../../support/campaign.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { gatedTest } from "../../support/gate.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
import { bucketVariables } from "../../support/store-settings.ts";
import { startSweep } from "../../support/sweep-process.ts";

const storeTest = (name: string, body: () => Promise<void>) =>
  gatedTest(name, [s3Obstacle()], body, 400_000);

storeTest("an upload that SIGKILL cut short goes on where it stopped", async () => {
  const bucket = await makeBucket();
  const proxy = await startFaultProxy(bucket.server.endpoint);
  const folder = temporaryFolder();
  const path = writeDump(folder, "T.zip", { coreBytes: 60_000_000 });
  const sha256 = await sha256Of(path);
  const variables = bucketVariables(bucket, { S3_ENDPOINT: proxy.endpoint });
  const isPart = (method: string, url: string) => method === "PUT" && url.includes("partNumber=");
  // The seventh part hangs: six are there for sure or on their way when the process dies.
  proxy.plan("stall", (method, url) => isPart(method, url) && url.includes("partNumber=7"));
  const first = await startSweep(folder, variables);
  while (proxy.counts.stall === 0) await Bun.sleep(20);
  first.process.kill("SIGKILL");
  await first.ended;
  expect(await bucket.keys()).toEqual([]);
  expect(await bucket.unfinished()).toEqual(["T.zip"]);

  const second = await (await startSweep(folder, variables)).ended;
  expect(second.code).toBe(0);
  const resumed = /upload_resumed .*parts=(\d+) parts_there=(\d+)/.exec(second.log);
  expect(Number(resumed?.[1])).toBe(12);
  expect(Number(resumed?.[2])).toBeGreaterThanOrEqual(5);
  expect(await bucket.keys()).toEqual(["T.zip"]);
  expect(await bucket.sha256("T.zip")).toBe(sha256);
  expect(await bucket.unfinished()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
  proxy.stop();
});

storeTest(
  "SIGTERM in the middle of a part ends at once, and the rest goes on at the next start",
  async () => {
    const bucket = await makeBucket();
    const proxy = await startFaultProxy(bucket.server.endpoint);
    const folder = temporaryFolder();
    const sha256 = await sha256Of(writeDump(folder, "T.zip", { coreBytes: 30_000_000 }));
    const variables = bucketVariables(bucket, { S3_ENDPOINT: proxy.endpoint });
    proxy.plan("stall", (method, url) => method === "PUT" && url.includes("partNumber=3"));
    const first = await startSweep(folder, variables);
    while (proxy.counts.stall === 0) await Bun.sleep(20);
    first.process.kill("SIGTERM");
    // The stalled request alone would take STORE_TIMEOUT, a minute: the test's own time-out is the limit here.
    const { code, log } = await first.ended;
    expect(code).toBe(1);
    expect(log).toContain("stopped");
    const journal: unknown = await Bun.file(journalPathOf(join(folder, "T.zip"))).json();
    expect(journal).toMatchObject({ attempts: 0, retryAtMs: 0, upload: { key: "T.zip" } });

    const second = await (await startSweep(folder, variables)).ended;
    expect(second.log).toContain("upload_resumed");
    expect(await bucket.sha256("T.zip")).toBe(sha256);
    expect(readdirSync(folder)).toEqual([]);
    proxy.stop();
  },
);

for (const STORE_METADATA of ["true", "false"])
  storeTest(
    `a kill between the write and its proof makes no second object, whatever its ETag (metadata: ${STORE_METADATA})`,
    async () => {
      const bucket = await makeBucket();
      const proxy = await startFaultProxy(bucket.server.endpoint);
      const folder = temporaryFolder();
      const sha256 = await sha256Of(writeDump(folder, "T.zip", { coreBytes: 1000 }));
      const variables = bucketVariables(bucket, { S3_ENDPOINT: proxy.endpoint, STORE_METADATA });
      // No MD5 tells that the object is ours, only the id that it carries, or the ETag in the answer to the write: they
      // must outlive the process.
      proxy.disguiseEtags("kms");
      let written = false;
      proxy.plan("stall", (method) => {
        const proves = written && method === "HEAD";
        written ||= method === "PUT";
        return proves;
      });
      const first = await startSweep(folder, variables);
      while (proxy.counts.stall === 0) await Bun.sleep(20);
      first.process.kill("SIGKILL");
      await first.ended;
      expect(await bucket.keys()).toEqual(["T.zip"]);

      expect((await (await startSweep(folder, variables)).ended).code).toBe(0);
      expect(await bucket.keys()).toEqual(["T.zip"]);
      expect(await bucket.sha256("T.zip")).toBe(sha256);
      expect(readdirSync(folder)).toEqual([]);
      proxy.stop();
    },
  );

storeTest("two sweeps on one folder deliver every dump once between them", async () => {
  const bucket = await makeBucket();
  const folder = temporaryFolder();
  const wanted = new Map<string, string>();
  for (let index = 0; index < 12; index++) {
    const name = `T${index}.zip`;
    wanted.set(name, await sha256Of(writeDump(folder, name, { coreBytes: 1000 * 3 ** index })));
  }
  const variables = bucketVariables(bucket);
  const sweeps = await Promise.all([startSweep(folder, variables), startSweep(folder, variables)]);
  const ends = await Promise.all(sweeps.map(({ ended }) => ended));
  expect(ends.map(({ code }) => code)).toEqual([0, 0]);
  const finished = ends.flatMap(({ log }) => log.match(/upload_finished/g) ?? []);
  expect(finished).toHaveLength(wanted.size);
  expect(await bucket.keys()).toEqual([...wanted.keys()].sort());
  for (const [name, sha256] of wanted) expect(await bucket.sha256(name)).toBe(sha256);
  expect(readdirSync(folder)).toEqual([]);
});

for (const tls of [false, true])
  storeTest(
    `a short campaign of faults and kills loses and doubles nothing (TLS ${tls})`,
    async () => {
      const figures = await runCampaign({
        folder: temporaryFolder("cdh-campaign-"),
        dumps: 10,
        minBytes: 1000,
        maxBytes: 30_000_000,
        kills: 5,
        batches: 1,
        seed: Date.now() % 1_000_000,
        tls,
        rates: MIXED_RATES,
      });
      if (figures.problems.length > 0) console.error(formatCampaign(figures));
      expect(figures.problems).toEqual([]);
      expect(figures.intact).toBe(10);
      expect(figures.kills).toBeGreaterThanOrEqual(3);
    },
  );
