// The memory of an upload: it does not depend on the file's size, nor on TLS (bench/upload.ts measures 5 GB).
import { expect } from "bun:test";
import { makeBucket } from "../../support/bucket.ts";
import { temporaryFolder, writeDump } from "../../support/dumps.ts";
import { gatedTest, missingProgram } from "../../support/gate.ts";
import { watchPeak } from "../../support/peak-memory.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
import { bucketVariables } from "../../support/store-settings.ts";
import { startSweep } from "../../support/sweep-process.ts";
import { startTlsFront } from "../../support/tls-front.ts";

const LIMIT_MIB = 80;

for (const tls of [false, true])
  gatedTest(
    `an upload of 300 MB stays under ${LIMIT_MIB} MiB (TLS ${tls})`,
    [s3Obstacle(), missingProgram("openssl")],
    async () => {
      const bucket = await makeBucket();
      const front = await startTlsFront(bucket.server.endpoint);
      const folder = temporaryFolder();
      writeDump(folder, "T.zip", { coreBytes: 300_000_000 });
      // The default part size and concurrency, as the agent runs.
      const { STORE_PART_SIZE: _, ...variables } = bucketVariables(bucket);
      const address = tls ? { S3_ENDPOINT: front.endpoint, STORE_CA_BUNDLE: front.caPath } : {};
      const { process, ended } = await startSweep(folder, { ...variables, ...address });
      const peak = watchPeak(process.pid);
      expect((await ended).code).toBe(0);
      expect(peak()).toBeLessThan(LIMIT_MIB);
      for (const key of await bucket.keys()) await bucket.remove(key);
      front.stop();
    },
    120_000,
  );
