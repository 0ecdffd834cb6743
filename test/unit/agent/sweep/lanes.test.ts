import { expect, test } from "bun:test";
import { Lanes } from "../../../../src/agent/sweep/lanes.ts";

const SMALL = 200_000;
const LARGE = 50 * 2 ** 20;

/** Deliveries that end when the test lets them. */
function open() {
  const lanes = new Lanes();
  const ends: ((wentWell: boolean) => void)[] = [];
  const offer = async (sizeBytes: number) => {
    await lanes.room(sizeBytes);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    ends.push(resolve);
    lanes.start(sizeBytes, () => promise);
  };
  const all = async (sizes: number[]) => {
    for (const size of sizes) await offer(size);
  };
  const settled = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    return ends.length;
  };
  return { lanes, ends, all, settled };
}

test("one goes first; when it has gone well eight go side by side", async () => {
  const { ends, all, settled } = open();
  void all(Array.from({ length: 20 }, () => SMALL));
  expect(await settled()).toBe(1);
  ends[0]?.(true);
  expect(await settled()).toBe(9);
  ends[1]?.(true);
  expect(await settled()).toBe(10);
});

test("after a failure one goes at a time again", async () => {
  const { ends, all, settled } = open();
  void all(Array.from({ length: 20 }, () => SMALL));
  await settled();
  ends[0]?.(true);
  expect(await settled()).toBe(9);
  for (const end of ends.slice(1)) end(false);
  expect(await settled()).toBe(10);
});

test("a large dump waits for the others, and they for it", async () => {
  const { ends, all, settled } = open();
  void all([SMALL, SMALL, LARGE, SMALL]);
  await settled();
  ends[0]?.(true);
  expect(await settled()).toBe(2);
  ends[1]?.(true);
  expect(await settled()).toBe(3);
  ends[2]?.(true);
  expect(await settled()).toBe(4);
});

test("idle settles when the last one has ended", async () => {
  const { lanes, ends, all, settled } = open();
  void all([SMALL]);
  await settled();
  let isIdle = false;
  void lanes.idle().then(() => (isIdle = true));
  await settled();
  expect(isIdle).toBe(false);
  ends[0]?.(true);
  await settled();
  expect(isIdle).toBe(true);
});
