import { expect, test } from "bun:test";
import { judgeBug, settleBug, type KnownBugs } from "../../../src/model/known-bugs.ts";

const LIMITS = { keep: 2, windowMs: 10_000, takesMs: 1_000 };
const BUG = "0123456789abcdef";
const shop = { tenant: "shop", bug: BUG, uuid: "u" };
const keep = { kind: "keep" } as const;
const known = (dumps: number, leftOut: number) => ({ kind: "known", dumps, leftOut }) as const;

/** One node's composers, whose crashes come at these times. */
function node(limits = LIMITS) {
  let state: KnownBugs = {};
  return {
    crash(atMs: number, crash = shop) {
      const judged = judgeBug(state, crash, atMs, limits);
      state = judged.state;
      return judged.verdict;
    },
    settle(isWhole: boolean, crash = shop) {
      state = settleBug(state, crash, isWhole);
    },
    /** A crash whose dump is kept, and whole. */
    whole(atMs: number, crash = shop) {
      const verdict = this.crash(atMs, crash);
      this.settle(true, crash);
      return verdict;
    },
    get bytes() {
      return JSON.stringify(state).length;
    },
    get tenants() {
      return Object.keys(state);
    },
  };
}

test("the first whole dumps of a bug are kept, the next ones counted", () => {
  const here = node();
  expect(here.whole(1)).toEqual(keep);
  expect(here.whole(2)).toEqual(keep);
  expect(here.crash(3)).toEqual(known(2, 1));
  expect(here.crash(4)).toEqual(known(2, 2));
  expect(here.crash(5, { ...shop, bug: "fedcba9876543210" })).toEqual(keep);
});

test("the window slides, and the count of cores left out begins anew", () => {
  const here = node({ ...LIMITS, keep: 1 });
  here.whole(0);
  expect(here.crash(9_999)).toEqual(known(1, 1));
  expect(here.whole(10_001)).toEqual(keep);
  expect(here.crash(10_002)).toEqual(known(1, 1));
});

test("dumps under way count: many crashes at once leave no more than the limit", () => {
  const here = node();
  const verdicts = ["a", "b", "c", "d"].map((uuid) => here.crash(1, { ...shop, uuid }).kind);
  expect(verdicts).toEqual(["keep", "keep", "known", "known"]);
});

test("a dump that was cut does not count, nor one whose composer was killed", () => {
  const here = node({ ...LIMITS, keep: 1 });
  here.crash(1);
  here.settle(false);
  expect(here.crash(2, { ...shop, uuid: "killed" })).toEqual(keep);
  expect(here.crash(3)).toEqual(known(1, 1));
  expect(here.crash(2 + LIMITS.takesMs)).toEqual(keep);
});

test("a forged stack uses up nothing of another tenant's", () => {
  const here = node({ ...LIMITS, keep: 1 });
  for (let n = 0; n < 50; n++) here.whole(n, { ...shop, tenant: "hostile" });
  expect(here.crash(60)).toEqual(keep);
});

test("a tenant with any number of bugs grows the state no further, and pushes out its own alone", () => {
  const here = node({ ...LIMITS, keep: 50 });
  here.whole(0);
  for (let n = 1; n <= 400; n++)
    here.whole(n, { tenant: "hostile", bug: n.toString(16).padStart(16, "0"), uuid: "u" });
  expect(here.bytes).toBeLessThan(500_000);
  expect(here.tenants).toEqual(["shop", "hostile"]);
  const strict = node({ ...LIMITS, keep: 1, windowMs: 1e6 });
  for (let n = 0; n < 400; n++) strict.whole(n, { ...shop, tenant: `tenant-${n}` });
  expect(strict.tenants.length).toBeLessThanOrEqual(250);
});

test("a clock that was set back lets nothing count for ever", () => {
  const here = node({ ...LIMITS, keep: 1 });
  here.whole(1e9);
  expect(here.crash(5)).toEqual(keep);
});

test("a lower limit counts at once", () => {
  let state: KnownBugs = {};
  for (const uuid of ["a", "b"]) {
    ({ state } = judgeBug(state, { ...shop, uuid }, 1, LIMITS));
    state = settleBug(state, { ...shop, uuid }, true);
  }
  expect(judgeBug(state, shop, 2, { ...LIMITS, keep: 1 }).verdict).toEqual(known(1, 1));
});
