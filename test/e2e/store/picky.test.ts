// A real server behind a front that is pickier than S3: dumps arrive, and the doctor is content.
import { expect } from "bun:test";
import { openDelivery } from "../../../src/agent/delivery/delivery.ts";
import { describeError } from "../../../src/model/app-error.ts";
import { makeBucket } from "../../support/bucket.ts";
import { doctorSays } from "../../support/doctor.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { gatedTest } from "../../support/gate.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { s3Error } from "../../support/scripted-store.ts";
import { bucketSettings, bucketVariables } from "../../support/store-settings.ts";
import { startStrictFront } from "../../support/strict-front.ts";

const RULES: Record<string, (headers: Headers) => boolean> = {
  "a hyphen in the name of metadata": (headers) =>
    [...headers.keys()].some((name) => /^x-amz-meta-.*-/.test(name)),
  "a condition on a write": (headers) => headers.has("if-none-match"),
};

for (const [what, offends] of Object.entries(RULES))
  gatedTest(
    `a store that refuses ${what} with 400 gets every dump`,
    [s3Obstacle()],
    async () => {
      const bucket = await makeBucket();
      const front = startStrictFront(bucket.server.endpoint, ({ headers }) =>
        offends(headers) ? s3Error(400, "InvalidArgument") : undefined,
      );
      try {
        const changes = { S3_ENDPOINT: front.endpoint };
        const delivery = openDelivery(bucketSettings(bucket, changes), recordedLog());
        for (const coreBytes of [1000, 12_000_000]) {
          const name = `T-${coreBytes}.zip`;
          const path = writeDump(temporaryFolder(), name, { coreBytes });
          const sha256 = await sha256Of(path);
          const outcome = await delivery.deliver(path, new AbortController().signal);
          if (outcome.kind === "failed") throw new Error(describeError(outcome.error));
          expect(outcome).toMatchObject({ kind: "delivered", key: name });
          expect(await bucket.sha256(name)).toBe(sha256);
        }
        expect(front.refused.length).toBeLessThanOrEqual(1);
        const { store } = await doctorSays(bucketVariables(bucket, changes), { only: ["store"] });
        expect(store?.status).toBe("ok");
      } finally {
        await front.stop();
      }
    },
    120_000,
  );
