import { expect, test } from "bun:test";
import { AppError } from "../../../src/model/app-error.ts";
import { partOf, planParts } from "../../../src/model/part-plan.ts";
import { S3_PART_LIMITS, S3_PART_WISHED_BYTES } from "../../../src/model/s3-limits.ts";

const { partMinBytes, partMaxBytes, partsMax } = S3_PART_LIMITS;
const FILE_MAX_BYTES = partMaxBytes * partsMax;

function planForS3(sizeBytes: number, wishedBytes = S3_PART_WISHED_BYTES) {
  return planParts(sizeBytes, S3_PART_LIMITS, wishedBytes);
}

const SIZES = [
  0,
  1,
  partMinBytes,
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
  const plan = planForS3(sizeBytes);
  expect(plan.partCount).toBeLessThanOrEqual(partsMax);
  expect(plan.partSizeBytes).toBeGreaterThanOrEqual(partMinBytes);
  expect(plan.partSizeBytes).toBeLessThanOrEqual(partMaxBytes);
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
  for (const sizeBytes of [16e9, 17e9, 100e9, 1e12, 1000 * partMaxBytes])
    expect(planForS3(sizeBytes).partCount).toBeLessThanOrEqual(1000);
});

test("a wished part size is kept as long as 1,000 parts suffice", () => {
  expect(planForS3(100e6, 8 * 2 ** 20).partSizeBytes).toBe(8 * 2 ** 20);
  expect(planForS3(1e12, 8 * 2 ** 20).partSizeBytes).toBeGreaterThan(8 * 2 ** 20);
});

test("a file that no plan fits is an error, not a plan of 10,001 parts", () => {
  expect(() => planForS3(FILE_MAX_BYTES + 1)).toThrow(AppError);
});

test("a part outside the plan does not exist", () => {
  expect(() => partOf(planForS3(100), 0)).toThrow(RangeError);
  expect(() => partOf(planForS3(100), 2)).toThrow(RangeError);
});
