// Dumps in a real bucket, read as a person would: listed over several pages, fetched, and said to be missing.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { groupByBug } from "../../../src/reading/bug-groups.ts";
import { fetchDump } from "../../../src/reading/fetch.ts";
import { listDumps } from "../../../src/reading/list.ts";
import { openS3Reader } from "../../../src/store/s3/s3-reader.ts";
import { makeBucket } from "../../support/bucket.ts";
import { temporaryFolder } from "../../support/dumps.ts";
import { failureOf } from "../../support/failure.ts";
import { gatedTest } from "../../support/gate.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
import { bucketSettings } from "../../support/store-settings.ts";

const storeTest = (name: string, body: () => Promise<void>) =>
  gatedTest(name, [s3Obstacle()], body, 120_000);

function dump(info: Record<string, unknown>, core = new Uint8Array(1000)): Uint8Array {
  const facts = Buffer.from(JSON.stringify({ timestamp: "1700000000", exe: "app", ...info }));
  return zipSync({ "T-dump-info.json": [facts, { level: 0 }], "T.core": core });
}

storeTest("a bucket is listed past the first thousand keys, by namespace and prefix", async () => {
  const bucket = await makeBucket();
  const small = dump({ namespace: "shop", bug: "0123456789abcdef", title: "SIGSEGV in f" });
  for (let n = 0; n < 1010; n += 101)
    await Promise.all(
      Array.from({ length: 101 }, (_, k) => bucket.put(`shop/${n + k}.zip`, small)),
    );
  await bucket.put("bank/a.zip", dump({ namespace: "bank", core_complete: true }));
  await bucket.put("bank/notes.txt", "no dump");
  await bucket.put("bank/empty.zip", "");
  const store = openS3Reader(bucketSettings(bucket));
  const all = { prefix: "", sinceMs: 0, namespace: "" };
  const listed = await listDumps(store, all);
  expect(listed).toHaveLength(1012);
  expect(groupByBug(listed)).toMatchObject([
    { bug: "0123456789abcdef", dumps: 1010, namespaces: ["shop"], title: "SIGSEGV in f" },
    { bug: null, dumps: 2, namespaces: ["bank"] },
  ]);
  expect(await listDumps(store, { ...all, namespace: "bank" })).toMatchObject([
    { key: "bank/a.zip", exe: "app", core_complete: true },
  ]);
  expect(await listDumps(store, { ...all, prefix: "shop/100" })).toHaveLength(11);
  store.close();
});

storeTest("a dump is fetched byte for byte; one that is not there is said so", async () => {
  const bucket = await makeBucket();
  const noise = Array.from({ length: 320 }, () => crypto.getRandomValues(new Uint8Array(65_536)));
  const zip = dump({}, Buffer.concat(noise));
  await bucket.put("T.zip", zip);
  const store = openS3Reader(bucketSettings(bucket));
  const path = join(temporaryFolder(), "T.zip");
  const { sizeBytes } = await fetchDump(store, "T.zip", path, false);
  expect(sizeBytes).toBe(zip.length);
  expect(readFileSync(path).equals(zip)).toBe(true);
  const missing = await failureOf(fetchDump(store, "none.zip", `${path}.none`, false));
  expect(missing).toContain("none.zip");
  store.close();
});
