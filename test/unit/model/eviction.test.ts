import { expect, test } from "bun:test";
import { planEvictions, type StoredDump } from "../../../src/model/eviction.ts";

const dump = (name: string, workload: string, modifiedMs: number, sizeBytes = 10): StoredDump => ({
  name,
  workload,
  modifiedMs,
  sizeBytes,
  evictable: true,
});
const names = (dumps: StoredDump[]) => dumps.map(({ name }) => name);

const CROWD = [
  dump("loop-1", "loop", 1),
  dump("rare-1", "rare", 2),
  dump("loop-2", "loop", 3),
  dump("loop-3", "loop", 4),
  dump("rare-2", "rare", 5),
  dump("loop-4", "loop", 6),
];

test("the oldest of the workload that takes the most goes first", () => {
  expect(names(planEvictions(CROWD, 15))).toEqual(["loop-1", "loop-2"]);
});

test("once another workload takes more, its oldest is next", () => {
  expect(names(planEvictions(CROWD, 45))).toEqual([
    "loop-1",
    "loop-2",
    "loop-3",
    "rare-1",
    "rare-2",
  ]);
});

test("the newest of all never goes, whatever is needed", () => {
  expect(names(planEvictions(CROWD, 1e9))).not.toContain("loop-4");
  expect(planEvictions([dump("only", "x", 1)], 1e9)).toEqual([]);
});

test("a dump under way or being uploaded counts, and stays", () => {
  const crowd = [
    { ...dump("uploading", "loop", 1, 100), evictable: false },
    dump("loop-2", "loop", 2, 5),
    dump("rare", "rare", 3, 50),
    { ...dump("under way", "", 9, 5), evictable: false },
  ];
  expect(names(planEvictions(crowd, 10))).toEqual(["loop-2", "rare"]);
});

test("nothing needed, nothing evicted", () => {
  expect(planEvictions(CROWD, 0)).toEqual([]);
  expect(planEvictions([], 10)).toEqual([]);
});
