// What the doctor says of a real S3 store, well and ill. It leaves nothing there.
import { expect } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeBucket, type Bucket } from "../../support/bucket.ts";
import { doctorSays } from "../../support/doctor.ts";
import { gatedTest } from "../../support/gate.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
import { bucketVariables } from "../../support/store-settings.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const only = ["store", "clock"];

function storeTest(name: string, body: (bucket: Bucket) => Promise<void>) {
  gatedTest(name, [s3Obstacle()], async () => body(await makeBucket()), 200_000);
}

storeTest("a bucket that can be written to is well, and stays empty", async (bucket) => {
  const { store, clock } = await doctorSays(bucketVariables(bucket), { only });
  expect(store).toMatchObject({ status: "ok" });
  expect(store?.found).toContain(`bucket ${bucket.name} at `);
  expect(clock?.status).toBe("ok");
  expect(await bucket.keys()).toEqual([]);
  expect(await bucket.unfinished()).toEqual([]);
});

storeTest("a wrong secret, a wrong key and a missing bucket are told apart", async (bucket) => {
  const cases: [Record<string, string>, string, string][] = [
    [{ S3_SECRET: "wrong" }, "the secret does not fit the access key", "S3_SECRET"],
    [{ S3_ACCESS_KEY: "NOBODY" }, "does not know this access key", "S3_ACCESS_KEY"],
    [{ S3_BUCKET_NAME: "no-such-bucket" }, "there is no bucket no-such-bucket", "S3_BUCKET_NAME"],
  ];
  for (const [change, found, remedy] of cases) {
    const { store } = await doctorSays(bucketVariables(bucket, change), { only });
    expect(store?.status).toBe("failed");
    expect(store?.found).toContain(found);
    expect(store?.remedy).toContain(remedy);
  }
});

storeTest("an endpoint where nobody listens is out of reach", async (bucket) => {
  const dead = bucketVariables(bucket, { S3_ENDPOINT: "http://127.0.0.1:9" });
  const { store, clock } = await doctorSays(dead, { only });
  expect(store?.status).toBe("failed");
  expect(store?.found).toContain("http://127.0.0.1:9 cannot be reached");
  expect(clock?.status).toBe("skipped");
});

storeTest("a clock that is 20 minutes off is named, with its direction", async (bucket) => {
  const upstream = new URL(bucket.server.endpoint);
  const skewed = Bun.serve({
    port: 0,
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const answer = await fetch(new URL(pathname + search, upstream), {
        method: request.method,
        headers: request.headers,
        body: request.body,
      });
      const headers = new Headers(answer.headers);
      headers.set("date", new Date(Date.now() + 20 * 60_000).toUTCString());
      return new Response(await answer.bytes(), { status: answer.status, headers });
    },
  });
  try {
    const environment = bucketVariables(bucket, { S3_ENDPOINT: `http://127.0.0.1:${skewed.port}` });
    const { clock } = await doctorSays(environment, { only });
    expect(clock?.status).toBe("failed");
    expect(clock?.found).toMatch(/(20\.0|19\.9) minutes behind the store's/);
    expect(clock?.remedy).toContain("synchronise");
  } finally {
    await skewed.stop(true);
  }
});

gatedTest("a directory is tried by a file that does not stay", [], async () => {
  await withFolder(async (folder) => {
    const share = join(folder, "share");
    mkdirSync(share);
    expect((await doctorSays({ STORE_URL: `file://${share}` }, { only }))["store"]?.status).toBe(
      "ok",
    );
    expect(readdirSync(share)).toEqual([]);
    const gone = await doctorSays({ STORE_URL: `file://${folder}/none` }, { only });
    expect(gone["store"]?.status).toBe("failed");
    expect(gone["store"]?.found).toContain("cannot be reached");
  });
});
