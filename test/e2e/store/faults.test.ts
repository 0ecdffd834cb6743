// Single faults between the agent and a real S3 server: each is met, and the dump arrives once and whole.
import { existsSync } from "node:fs";
import { expect } from "bun:test";
import { openDelivery } from "../../../src/agent/delivery/delivery.ts";
import { describeError } from "../../../src/model/app-error.ts";
import { makeBucket } from "../../support/bucket.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { completes, startFaultProxy, type Fault } from "../../support/fault-proxy.ts";
import { gatedTest } from "../../support/gate.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { bucketSettings } from "../../support/store-settings.ts";

type Matches = (method: string, url: string) => boolean;
const never = new AbortController().signal;
const part: Matches = (method, url) => method === "PUT" && url.includes("partNumber=2");
const put: Matches = (method, url) => method === "PUT" && !url.includes("partNumber");
const begin: Matches = (method, url) => method === "POST" && url.includes("?uploads");
const look: Matches = (method) => method === "HEAD";

const CASES: [Fault, string, Matches, number][] = [
  ["reset", "a part", part, 12_000_000],
  ["reset", "a whole dump", put, 3_000_000],
  ["reset", "the look before", look, 1000],
  ["lost_answer", "a part", part, 12_000_000],
  ["lost_answer", "a whole dump", put, 3_000_000],
  ["lost_answer", "the beginning", begin, 12_000_000],
  ["lost_answer", "the completion", completes, 12_000_000],
  ["stall", "a part", part, 12_000_000],
  ["stall", "the look before", look, 1000],
  ["error_500", "a part", part, 12_000_000],
  ["error_500", "the completion", completes, 12_000_000],
  ["slow_down_503", "a part", part, 12_000_000],
  ["slow_down_503", "the beginning", begin, 12_000_000],
  ["too_many_429", "a part", part, 12_000_000],
  ["truncated_answer", "a part", part, 12_000_000],
  ["truncated_answer", "the beginning", begin, 12_000_000],
  ["truncated_answer", "the completion", completes, 12_000_000],
  ["error_in_200", "the completion", completes, 12_000_000],
  ["slow_read", "a part", part, 12_000_000],
  ["clock_skew", "a part", part, 12_000_000],
  ["clock_skew", "a whole dump", put, 3_000_000],
];

for (const [fault, where, matches, coreBytes] of CASES)
  gatedTest(
    `${fault} at ${where} costs nothing but time`,
    [s3Obstacle()],
    async () => {
      const bucket = await makeBucket();
      const proxy = await startFaultProxy(bucket.server.endpoint);
      const path = writeDump(temporaryFolder(), "T.zip", { coreBytes });
      const sha256 = await sha256Of(path);
      proxy.plan(fault, matches);
      const log = recordedLog();
      const settings = bucketSettings(bucket, {
        S3_ENDPOINT: proxy.endpoint,
        STORE_TIMEOUT: "1",
        STORE_MIN_SPEED: String(2 ** 20),
      });
      const delivery = openDelivery(settings, log);
      let outcome = await delivery.deliver(path, never);
      // What a retry within the attempt does not cure, the next attempt does.
      for (let again = 0; outcome.kind === "failed" && again < 3; again++)
        outcome = await delivery.deliver(path, never, { ignoreBackoff: true });
      if (outcome.kind === "failed") throw new Error(describeError(outcome.error));
      expect(outcome).toMatchObject({ kind: "delivered", key: "T.zip" });
      expect(proxy.counts[fault]).toBe(1);
      expect(await bucket.keys()).toEqual(["T.zip"]);
      expect(await bucket.sha256("T.zip")).toBe(sha256);
      expect(await bucket.unfinished()).toEqual([]);
      expect(existsSync(path)).toBe(false);
      proxy.stop();
    },
    200_000,
  );
