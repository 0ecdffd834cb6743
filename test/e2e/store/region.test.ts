// A store that insists on another region than we signed for is obeyed: a real server behind a front that refuses.
import { expect } from "bun:test";
import { openDelivery } from "../../../src/agent/delivery/delivery.ts";
import { openS3Reader } from "../../../src/store/s3/s3-reader.ts";
import { describeError } from "../../../src/model/app-error.ts";
import { makeBucket } from "../../support/bucket.ts";
import { doctorSays } from "../../support/doctor.ts";
import { sha256Of, temporaryFolder, writeDump } from "../../support/dumps.ts";
import { gatedTest } from "../../support/gate.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { bucketSettings, bucketVariables } from "../../support/store-settings.ts";
import { REGION_REFUSALS, signedRegion, startStrictFront } from "../../support/strict-front.ts";

const never = new AbortController().signal;

for (const [how, refuse] of Object.entries(REGION_REFUSALS))
  gatedTest(
    `${how}: dumps arrive, are read, and the doctor is content`,
    [s3Obstacle()],
    async () => {
      const bucket = await makeBucket();
      const front = startStrictFront(bucket.server.endpoint, (request) =>
        signedRegion(request.headers) === "eu-west-1"
          ? undefined
          : refuse("eu-west-1")(request.method),
      );
      try {
        const changes = { S3_ENDPOINT: front.endpoint, S3_REGION: "" };
        const settings = bucketSettings(bucket, changes);
        const delivery = openDelivery(settings, recordedLog());
        const folder = temporaryFolder();
        for (const coreBytes of [1000, 12_000_000]) {
          const name = `T-${coreBytes}.zip`;
          const path = writeDump(folder, name, { coreBytes });
          const sha256 = await sha256Of(path);
          const outcome = await delivery.deliver(path, never);
          if (outcome.kind === "failed") throw new Error(describeError(outcome.error));
          expect(outcome).toMatchObject({ kind: "delivered", key: name });
          expect(await bucket.sha256(name)).toBe(sha256);
        }
        const learnt = front.refused.length;
        expect(learnt).toBeLessThanOrEqual(2);
        const dumps = openS3Reader(settings);
        const source = await dumps.open("T-1000.zip");
        expect((await source.read(0, 2)).toString()).toBe("PK");
        dumps.close();
        const { store } = await doctorSays(bucketVariables(bucket, changes), { only: ["store"] });
        expect(store).toMatchObject({ status: "ok" });
        expect(store?.found).toContain("signed for eu-west-1");
      } finally {
        await front.stop();
      }
    },
    120_000,
  );
