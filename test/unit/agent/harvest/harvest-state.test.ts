import { expect, test } from "bun:test";
import { statSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HarvestState } from "../../../../src/agent/harvest/harvest-state.ts";
import { HARVEST_STATE } from "../../../../src/model/host-file.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

test("what was seen and said is known after a restart; since when, too", () =>
  withFolder(async (folder) => {
    const before = await HarvestState.open(folder, 1000);
    before.noteCore("a", 11);
    before.noteReport("b");
    before.noteLeft("shop", "1:2");
    for (let at = 0; at < 300; at++) before.noteLeft("mallory", `9:${at}`);
    await before.save(undefined);
    const after = await HarvestState.open(folder, 2000);
    expect(after.sinceMs).toBe(1000);
    expect(after.hasCore("a", 11)).toBe(true);
    expect(after.hasCore("a", 6)).toBe(false);
    expect(after.isReported("a")).toBe(false);
    expect(after.isReported("b")).toBe(true);
    expect(after.isLeft("1:2")).toBe(true);
  }));

test("containers that are gone are forgotten, once it is known which are", () =>
  withFolder(async (folder) => {
    const state = await HarvestState.open(folder);
    state.noteReport("gone");
    state.noteReport("there");
    await state.save(undefined);
    expect(state.isReported("gone")).toBe(true);
    await state.save(["there"]);
    const after = await HarvestState.open(folder);
    expect([after.isReported("gone"), after.isReported("there")]).toEqual([false, true]);
  }));

for (const text of ["", "{", "[]", '{"sinceMs":"x"}'])
  test(`a state of ${JSON.stringify(text)} starts anew`, () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, HARVEST_STATE), text);
      const state = await HarvestState.open(folder, 5);
      expect(state.sinceMs).toBe(5);
      await state.save([]);
      expect(await readFile(join(folder, HARVEST_STATE), "utf8")).toContain('"sinceMs":5');
    }));

test("names that forge signals do not make it grow; one that is too long to be read starts anew", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "harvest.json");
    const state = await HarvestState.open(folder);
    for (let signal = 0; signal < 100_000; signal++) state.noteCore("c", signal);
    await state.save(undefined);
    expect(statSync(path).size).toBeLessThan(1_000);
    expect(state.hasCore("c", 11)).toBe(true);
    writeFileSync(path, " ".repeat(2 << 20));
    expect((await HarvestState.open(folder)).hasCore("c", 11)).toBe(false);
  });
});
