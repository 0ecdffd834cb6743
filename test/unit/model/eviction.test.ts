import { expect, test } from "bun:test";
import { planEvictions, type KeptDump } from "../../../src/model/eviction.ts";

const dump = (
  name: string,
  workload: string,
  modifiedMs: number,
  sizeBytes = 10,
  namespace = "shop",
): KeptDump => ({
  name,
  namespace,
  workload,
  modifiedMs,
  sizeBytes,
  evictable: true,
});
const names = (dumps: KeptDump[]) => dumps.map(({ name }) => name);

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

/** What one program under sixty names left, against one victim's four dumps. */
const COPIES = Array.from({ length: 60 }, (_, at) => dump(`m-${at}`, `m${at}`, at, 10, "mallory"));
const VICTIMS = [1, 2, 3, 4].map((at) => dump(`v-${at}`, "shop", at, 40, "victim"));

test("many workloads of one namespace do not make another namespace's dumps give way", () => {
  const plan = planEvictions([...VICTIMS, ...COPIES], 400);
  expect(plan.every(({ namespace }) => namespace === "mallory")).toBe(true);
  expect(plan).toHaveLength(40);
});

test("the newest dump of each namespace stays, whatever is needed", () => {
  const left = new Set([...VICTIMS, ...COPIES]).difference(
    new Set(planEvictions([...VICTIMS, ...COPIES], 1e9)),
  );
  expect(names([...left]).sort()).toEqual(["m-59", "v-4"]);
});

test("a dump makes room among namespaces that hold more than its own, and in its own", () => {
  const underWay = { ...dump("u", "m0", 99, 200, "mallory"), evictable: false };
  expect(planEvictions([...VICTIMS, underWay], 100, "mallory")).toEqual([]);
  expect(names(planEvictions([...VICTIMS, underWay], 100, "other"))).toEqual(["v-1", "v-2", "v-3"]);
  const own = [dump("m-1", "m1", 1, 20, "mallory"), underWay];
  expect(names(planEvictions([...VICTIMS, ...own], 100, "mallory"))).toEqual(["m-1"]);
});

test("within a namespace the largest of very many workloads is found quickly", () => {
  const crowd = Array.from({ length: 20_000 }, (_, at) => dump(`${at}`, `${at}`, at, 1 + at));
  const plan = planEvictions(crowd, 1e12);
  expect(plan).toHaveLength(19_999);
  expect(names(plan.slice(0, 2))).toEqual(["19998", "19997"]);
});

test("of a namespace those of low priority go first, those of high priority last", () => {
  const crowd: KeptDump[] = [
    { ...dump("high-old", "web", 1, 100), priority: "high" },
    dump("normal-old", "web", 2, 50),
    dump("normal-new", "web", 3, 50),
    { ...dump("low-new", "batch", 4, 1), priority: "low" },
    dump("newest", "other", 9, 1),
  ];
  expect(names(planEvictions(crowd, 1e9))).toEqual([
    "low-new",
    "normal-old",
    "normal-new",
    "high-old",
  ]);
});

test("a priority takes nothing from another namespace", () => {
  const crowd: KeptDump[] = [
    { ...dump("greedy-1", "a", 1, 30, "greedy"), priority: "high" },
    { ...dump("greedy-2", "a", 2, 30, "greedy"), priority: "high" },
    { ...dump("modest-1", "b", 3, 10, "modest"), priority: "low" },
    { ...dump("modest-2", "b", 4, 10, "modest"), priority: "low" },
  ];
  expect(names(planEvictions(crowd, 30))).toEqual(["greedy-1"]);
});
