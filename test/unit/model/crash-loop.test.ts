import { expect, test } from "bun:test";
import { isAnyLimited, judgeCrash, type CrashLoopState } from "../../../src/model/crash-loop.ts";

const LIMITS = { perWorkload: 3, perNamespace: 0, windowMs: 1000 };
/** A part of the window: so much longer does a dump count at most. */
const PART_MS = LIMITS.windowMs / 16;
const W = { namespace: "shop", workload: "w" };
const collect = (workload = 0, namespace = 0) =>
  ({ kind: "collect", suppressedBefore: { workload, namespace } }) as const;
const suppress = (suppressed: number, by: "workload" | "namespace" = "workload") =>
  ({ kind: "suppress", by, suppressed }) as const;

/** Crashes at these times, of one workload or of those named; what became of each. */
function crashes(times: number[], limits = LIMITS, workloads: string[] = []) {
  let state: CrashLoopState = {};
  const kinds = times.map((at, index) => {
    const crash = { ...W, workload: workloads[index] ?? "w" };
    const judged = judgeCrash(state, crash, at, limits);
    state = judged.state;
    return judged.verdict;
  });
  return { kinds, state };
}

test("the first ones of a window are collected, the others counted", () => {
  expect(crashes([1, 2, 3, 4, 5]).kinds).toEqual([
    collect(),
    collect(),
    collect(),
    suppress(1),
    suppress(2),
  ]);
});

test("the window slides, and the next dump tells how many were left out before it", () => {
  const { kinds } = crashes([1, 500, 900, 950, 1001, 1001 + PART_MS, 1002 + PART_MS]);
  expect(kinds.slice(3)).toEqual([suppress(1), suppress(2), collect(2), suppress(1)]);
});

test("a limit of 0 collects everything", () => {
  const off = { perWorkload: 0, perNamespace: 1, windowMs: 1000 };
  const { kinds } = crashes([1, 2, 3, 4, 5, 6], off);
  expect(kinds.every(({ kind }) => kind === "collect")).toBe(true);
});

test("workloads do not count for each other", () => {
  const { state } = crashes([1, 2, 3]);
  expect(judgeCrash(state, { ...W, workload: "other" }, 4, LIMITS).verdict.kind).toBe("collect");
});

test("the workloads of a namespace share its limit, and other namespaces do not", () => {
  const limits = { ...LIMITS, perNamespace: 4 };
  const { kinds, state } = crashes([1, 2, 3, 4, 5, 6], limits, ["a", "b", "c", "d", "e", "f"]);
  expect(kinds.slice(3)).toEqual([collect(), suppress(1, "namespace"), suppress(2, "namespace")]);
  expect(isAnyLimited(state, 7, limits)).toBe(true);
  expect(judgeCrash(state, { ...W, namespace: "bank" }, 7, limits).verdict).toEqual(collect());
  expect(judgeCrash(state, { ...W, workload: "g" }, 2000, limits).verdict).toEqual(collect(0, 2));
});

test("a clock that was set back does not suppress for ever", () => {
  const { state } = crashes([9_000_000, 9_000_001, 9_000_002]);
  expect(judgeCrash(state, W, 5, LIMITS).verdict.kind).toBe("collect");
});

test("what is over is forgotten, and memory has a bound", () => {
  let state: CrashLoopState = {};
  for (let index = 0; index < 2000; index++)
    state = judgeCrash(state, { ...W, workload: `w${index}` }, index / 10, LIMITS).state;
  const workloads = () => Object.keys(state["shop"]?.workloads ?? {});
  expect(workloads()).toHaveLength(500);
  expect(workloads()).toContain("w1999");
  state = judgeCrash(state, { ...W, workload: "late" }, 100_000, LIMITS).state;
  expect(workloads()).toEqual(["late"]);
  for (let index = 0; index < 600; index++)
    state = judgeCrash(state, { ...W, namespace: `n${index}` }, 100_001, LIMITS).state;
  expect(Object.keys(state)).toHaveLength(250);
});

test("a namespace of very many workloads makes only its own forgotten", () => {
  let { state } = crashes([1, 2, 3]);
  for (let index = 0; index < 2000; index++)
    state = judgeCrash(state, { namespace: "mallory", workload: `w${index}` }, 10, LIMITS).state;
  expect(judgeCrash(state, W, 11, LIMITS).verdict).toEqual(suppress(1));
});

test("whatever the state was, what is written has a bound", () => {
  const now = 1.7e12;
  const parts = Array.from({ length: 400 }, (_, at): [number, number] => [now - 400 + at, 10_000]);
  const workloads = Object.fromEntries(
    Array.from({ length: 800 }, (_, at) => [`workload-${at}`, { parts, suppressed: 1e9 }]),
  );
  const state = { shop: { parts, suppressed: 1e9, workloads } };
  const judged = judgeCrash(state, W, now, { ...LIMITS, windowMs: 3_600_000 });
  expect(JSON.stringify(judged.state).length).toBeLessThan(400_000);
});

test("crashes that were left out are remembered until they were told", () => {
  const { state } = crashes([1, 2, 3, 4]);
  const later = judgeCrash(state, { ...W, workload: "other" }, 100_000, LIMITS).state;
  expect(judgeCrash(later, W, 100_001, LIMITS).verdict).toEqual(collect(1));
});
