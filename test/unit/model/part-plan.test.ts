import { expect, test } from "bun:test";
import { AppError } from "../../../src/model/app-error.ts";
import {
  FILE_MAX_BYTES,
  PART_MAX_BYTES,
  PART_MIN_BYTES,
  PARTS_MAX,
  partOf,
  planParts,
} from "../../../src/model/part-plan.ts";

const SIZES = [
  0,
  1,
  PART_MIN_BYTES,
  16 * 2 ** 20,
  16 * 2 ** 20 + 1,
  5e9,
  160e9,
  167_772_160_000,
  167_772_160_001,
  10e12,
  48 * 2 ** 40,
  FILE_MAX_BYTES,
];

test.each(SIZES)("%d bytes are covered by equal parts without gap or overlap", (sizeBytes) => {
  const plan = planParts(sizeBytes);
  expect(plan.partCount).toBeLessThanOrEqual(PARTS_MAX);
  expect(plan.partSizeBytes).toBeGreaterThanOrEqual(PART_MIN_BYTES);
  expect(plan.partSizeBytes).toBeLessThanOrEqual(PART_MAX_BYTES);
  let covered = 0;
  for (let number = 1; number <= plan.partCount; number++) {
    const part = partOf(plan, number);
    expect(part.start).toBe(covered);
    if (number < plan.partCount) expect(part.end - part.start).toBe(plan.partSizeBytes);
    covered = part.end;
  }
  expect(covered).toBe(sizeBytes);
});

test("a thousand parts, which is all that some stores take, are enough up to 4.8 TiB", () => {
  for (const sizeBytes of [16e9, 17e9, 100e9, 1e12, 1000 * PART_MAX_BYTES])
    expect(planParts(sizeBytes).partCount).toBeLessThanOrEqual(1000);
});

test("a wished part size is kept as long as 1,000 parts suffice", () => {
  expect(planParts(100e6, 8 * 2 ** 20).partSizeBytes).toBe(8 * 2 ** 20);
  expect(planParts(1e12, 8 * 2 ** 20).partSizeBytes).toBeGreaterThan(8 * 2 ** 20);
});

test("a file that no plan fits is an error, not a plan of 10,001 parts", () => {
  expect(() => planParts(FILE_MAX_BYTES + 1)).toThrow(AppError);
});

test("a part outside the plan does not exist", () => {
  expect(() => partOf(planParts(100), 0)).toThrow(RangeError);
  expect(() => partOf(planParts(100), 2)).toThrow(RangeError);
});
