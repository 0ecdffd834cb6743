import { expect, test } from "bun:test";
import { judgeCrash, type CrashLoopState } from "../../../src/model/crash-loop.ts";

const LIMIT = { limit: 3, windowMs: 1000 };

/** Crashes of one workload at these times; what became of each. */
function crashes(times: number[], limit = LIMIT, workload = "w") {
  let state: CrashLoopState = {};
  const kinds = times.map((at) => {
    const judged = judgeCrash(state, workload, at, limit);
    state = judged.state;
    return judged.verdict;
  });
  return { kinds, state };
}

test("the first ones of a window are collected, the others counted", () => {
  expect(crashes([1, 2, 3, 4, 5]).kinds).toEqual([
    { kind: "collect", suppressedBefore: 0 },
    { kind: "collect", suppressedBefore: 0 },
    { kind: "collect", suppressedBefore: 0 },
    { kind: "suppress", suppressed: 1 },
    { kind: "suppress", suppressed: 2 },
  ]);
});

test("the window slides, and the next dump tells how many were left out before it", () => {
  const { kinds } = crashes([1, 500, 900, 950, 1001, 1002]);
  expect(kinds.slice(3)).toEqual([
    { kind: "suppress", suppressed: 1 },
    { kind: "collect", suppressedBefore: 1 },
    { kind: "suppress", suppressed: 1 },
  ]);
});

test("a limit of 0 collects everything", () => {
  const { kinds } = crashes([1, 2, 3, 4, 5, 6], { limit: 0, windowMs: 1000 });
  expect(kinds.every(({ kind }) => kind === "collect")).toBe(true);
});

test("workloads do not count for each other", () => {
  const { state } = crashes([1, 2, 3]);
  expect(judgeCrash(state, "other", 4, LIMIT).verdict.kind).toBe("collect");
});

test("a clock that was set back does not suppress for ever", () => {
  const { state } = crashes([9_000_000, 9_000_001, 9_000_002]);
  expect(judgeCrash(state, "w", 5, LIMIT).verdict.kind).toBe("collect");
});

test("what is over is forgotten, and memory has a bound", () => {
  let state: CrashLoopState = {};
  for (let index = 0; index < 2000; index++)
    state = judgeCrash(state, `w${index}`, index / 10, LIMIT).state;
  expect(Object.keys(state)).toHaveLength(500);
  expect(state).toHaveProperty("w1999");
  state = judgeCrash(state, "late", 100_000, LIMIT).state;
  expect(Object.keys(state)).toEqual(["late"]);
});

test("crashes that were left out are remembered until they were told", () => {
  const { state } = crashes([1, 2, 3, 4]);
  const later = judgeCrash(state, "other", 100_000, LIMIT).state;
  expect(judgeCrash(later, "w", 100_001, LIMIT).verdict).toEqual({
    kind: "collect",
    suppressedBefore: 1,
  });
});
