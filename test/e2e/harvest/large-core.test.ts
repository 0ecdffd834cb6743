// File capture of a core of one gigabyte: taken whole, and its space given back.
import { expect } from "bun:test";
import { harvestSuite } from "../../support/harvest-suite.ts";
import { crashFirst } from "../../support/runtime-suite.ts";

const { harvestTest, start, coresLeft } = harvestSuite();

harvestTest("a core of a gibibyte, whole", async (harvested) => {
  const pod = await start("large", { args: ["talk", "1", "1024"] });
  await crashFirst({ pod });
  const [zip] = await harvested.zipsOf({ podname: "large" });
  expect(zip?.info).toMatchObject({ core_complete: true, missing: [] });
  expect(zip?.info.core_bytes).toBeGreaterThan(2 ** 30);
  await harvested.says("core_file_taken");
  expect(await coresLeft(pod)).toEqual([]);
});

harvestTest(
  "a core of a gibibyte, of which the owner wants the stacks, is read for them alone and is taken",
  async (harvested) => {
    const pod = await start("stacks", { args: ["talk", "1", "1024"] });
    await crashFirst({ pod });
    const [zip] = await harvested.zipsOf({ podname: "stacks" });
    expect(zip?.info).toMatchObject({ core_complete: true, core_content: "stacks", missing: [] });
    expect(zip?.info.core_bytes).toBeLessThan(1e6);
    expect(zip?.info.core_omitted_bytes).toBeGreaterThan(2 ** 30);
    await harvested.says("core_file_taken");
    expect(await coresLeft(pod)).toEqual([]);
  },
  { CORE_CONTENT: "stacks" },
);
