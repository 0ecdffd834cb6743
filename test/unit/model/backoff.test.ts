import { expect, test } from "bun:test";
import { planBackoff } from "../../../src/model/backoff.ts";

const LIMITS = { baseMs: 1000, capMs: 60_000 };
const highest = () => 0.999_999;

test("the ceiling doubles with every attempt and stops at the cap", () => {
  const delays = [1, 2, 3, 6, 7, 50, 5000].map((n) => planBackoff(n, LIMITS, highest));
  expect(delays).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000]);
});

test("the jitter is full: any delay from none to the ceiling", () => {
  expect(planBackoff(5, LIMITS, () => 0)).toBe(0);
  expect(planBackoff(5, LIMITS, () => 0.5)).toBe(8000);
});

test("a wait that the server asked for is the least", () => {
  expect(planBackoff(1, LIMITS, () => 0.5, 30_000)).toBe(30_000);
  expect(planBackoff(7, LIMITS, () => 0.5, 1000)).toBe(30_000);
});
