import { beforeEach, expect, test } from "bun:test";
import { DumpsUnderWay } from "../../../../src/agent/observe/dumps-under-way.ts";

let underWay: DumpsUnderWay;
beforeEach(() => {
  underWay = new DumpsUnderWay();
});
const begin = (uuid: string, sinceMs = 0) =>
  underWay.begin({ uuid, exe: "x", signal: "11", sinceMs });
const unaccounted = (beforeMs: number, files: string[] = []) =>
  underWay.takeUnaccounted(beforeMs, (uuid) => files.includes(uuid)).map(({ uuid }) => uuid);

test("a dump that began long ago and has neither end nor file is told once", () => {
  begin("old", 1000);
  begin("new", 5000);
  expect(unaccounted(1000)).toEqual([]);
  expect(unaccounted(1001)).toEqual(["old"]);
  expect(unaccounted(1001)).toEqual([]);
  expect(unaccounted(9000)).toEqual(["new"]);
});

test("a dump whose file is there may still end", () => {
  begin("a");
  expect(unaccounted(9000, ["a"])).toEqual([]);
  expect(underWay.end("a")).toMatchObject({ exe: "x", signal: "11" });
  expect(unaccounted(9000)).toEqual([]);
});

test("an end that is known before its beginning is read counts all the same", () => {
  expect(underWay.end("a")).toBeUndefined();
  begin("a");
  expect(unaccounted(9000)).toEqual([]);
});

test("what is remembered has a bound, and the newest is kept", () => {
  for (let dump = 0; dump < 1500; dump++) {
    begin(`begun-${dump}`);
    underWay.end(`ended-${dump}`);
  }
  expect(unaccounted(9000)).toHaveLength(1000);
  begin("ended-1499");
  expect(unaccounted(9000)).toEqual([]);
  begin("ended-0");
  expect(unaccounted(9000)).toEqual(["ended-0"]);
});
