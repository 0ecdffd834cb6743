// Modules in a real bucket: stored once by three nodes, below their prefix, and served by build-id.
import { expect, spyOn } from "bun:test";
import { readFileSync } from "node:fs";
import { zipSync } from "fflate";
import { openModuleDelivery } from "../../../src/agent/modules/module-delivery.ts";
import { readAgentSettings } from "../../../src/config/agent-settings.ts";
import { createModule, listKeptModules } from "../../../src/host/kept-modules.ts";
import { runUnusedModules } from "../../../src/reading/run-reading.ts";
import { makeBucket } from "../../support/bucket.ts";
import { temporaryFolder } from "../../support/dumps.ts";
import { gatedTest } from "../../support/gate.ts";
import { s3Obstacle } from "../../support/radosgw.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { bucketVariables } from "../../support/store-settings.ts";

const ID = "ab".repeat(20);
const sha256Of = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

gatedTest(
  "three nodes at once store a module once, below STORE_MODULE_PREFIX",
  [s3Obstacle()],
  async () => {
    const bucket = await makeBucket();
    const bytes = readFileSync("/bin/bash");
    const sha256 = sha256Of(bytes);
    const reports = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const coreDir = temporaryFolder();
        const file = await createModule(coreDir, { namespace: "shop", workload: "w" });
        await file.write(bytes, 0);
        await file.publish({ id: ID, sha256 });
        await file.end();
        const variables = {
          ...bucketVariables(bucket),
          STORE_MODULE_PREFIX: "debug/files",
          CORE_DIR: coreDir,
        };
        const delivery = openModuleDelivery({
          settings: readAgentSettings(variables),
          log: recordedLog(),
          signal: new AbortController().signal,
        });
        const report = await delivery.sweep(() => Promise.resolve());
        delivery.close();
        expect(listKeptModules(coreDir).map(({ isStored }) => isStored)).toEqual([true]);
        return report;
      }),
    );
    expect(reports.map(({ delivered, failed }) => [delivered, failed])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    const key = `debug/files/buildid/${ID}/executable`;
    expect(await bucket.keys()).toEqual([key]);
    expect(await bucket.sha256(key)).toBe(sha256);
  },
  120_000,
);

gatedTest(
  "modules that no dump of the last STORE_MODULE_DAYS names are listed, and no other",
  [s3Obstacle()],
  async () => {
    const bucket = await makeBucket();
    const [used, unused, rival] = ["ab", "cd", "ef"].map((pair) => pair.repeat(20));
    const info = { timestamp: "1700000000", modules: [used, rival], module_count: 2 };
    const zip = zipSync({ "T-dump-info.json": [Buffer.from(JSON.stringify(info)), { level: 0 }] });
    await bucket.put("dumps/T.zip", zip);
    const keys = [
      `m/buildid/${unused}/debuginfo`,
      `m/buildid/${unused}/executable`,
      `m/buildid/${used}/executable`,
      `m/buildid/${rival}/executable.${"0".repeat(64)}`,
      "m/notes.txt",
    ];
    for (const key of keys) await bucket.put(key, "x");
    const list = async (days: string) => {
      const variables = {
        ...bucketVariables(bucket),
        STORE_MODULE_PREFIX: "m",
        STORE_MODULE_DAYS: days,
      };
      const lines: string[] = [];
      const write = spyOn(process.stdout, "write").mockImplementation((text) => {
        lines.push(
          ...String(text)
            .split("\n")
            .filter((line) => line !== ""),
        );
        return true;
      });
      await runUnusedModules(false, variables).finally(() => write.mockRestore());
      return lines;
    };
    expect(await list("90")).toEqual(keys.slice(0, 2));
  },
  120_000,
);
