import { expect, test } from "bun:test";
import { Checkpoints } from "../../../src/composer/checkpoints.ts";

const KIB = 1024;
const at = (fileBytes: number) => ({ fileBytes, crc: fileBytes, sizeBytes: fileBytes * 3 });
const START = at(17 * KIB);

function remembered(...fileBytes: number[]): Checkpoints {
  const checkpoints = new Checkpoints(START);
  for (const bytes of fileBytes) checkpoints.remember(at(bytes));
  return checkpoints;
}

test("the newest is what is certain", () => {
  expect(new Checkpoints(START).newest).toEqual(START);
  expect(remembered(300 * KIB, 600 * KIB).newest).toEqual(at(600 * KIB));
});

test("cutting back finds the newest place that is short enough", () => {
  const places = [300, 600, 900, 1200].map((kib) => kib * KIB);
  expect(remembered(...places).cutTo(1200 * KIB)).toEqual(at(1200 * KIB));
  expect(remembered(...places).cutTo(1199 * KIB)).toEqual(at(900 * KIB));
  expect(remembered(...places).cutTo(600 * KIB)).toEqual(at(600 * KIB));
});

test("cut back, what was behind is gone", () => {
  const checkpoints = remembered(300 * KIB, 600 * KIB, 900 * KIB);
  checkpoints.cutTo(600 * KIB);
  expect(checkpoints.newest).toEqual(at(600 * KIB));
  expect(checkpoints.cutTo(900 * KIB)).toEqual(at(600 * KIB));
});

test("the start is always left, however many came after it", () => {
  const many = Array.from({ length: 5000 }, (_, i) => (i + 1) * 300 * KIB);
  for (const checkpoints of [remembered(), remembered(40 * KIB), remembered(...many)]) {
    expect(checkpoints.cutTo(20 * KIB)).toEqual(START);
    expect(checkpoints.newest).toEqual(START);
  }
});

test("below the start there is nothing to cut back to", () => {
  const checkpoints = remembered(300 * KIB);
  expect(checkpoints.cutTo(16 * KIB)).toBeUndefined();
});
