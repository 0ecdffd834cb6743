import { expect, test } from "bun:test";
import { CORE_BLOCK_BYTES } from "../../../src/model/partial-layout.ts";
import {
  SPOOL_HEAD_BYTES,
  parseSpoolHead,
  writeSpoolHead,
} from "../../../src/model/spool-layout.ts";

const BLOCK = { offset: 2 ** 40, sizeBytes: 100, crc: 0xfedcba98, isZeros: false };

function headOf(block: typeof BLOCK): Buffer {
  const head = Buffer.alloc(SPOOL_HEAD_BYTES);
  writeSpoolHead(head, block);
  return head;
}

test("a slot's head is read as it was written", () => {
  for (const block of [BLOCK, { ...BLOCK, isZeros: true, sizeBytes: 300_000 * CORE_BLOCK_BYTES }])
    expect(parseSpoolHead(headOf(block))).toEqual(block);
});

test("a head of zeros, a short one and one with any byte changed are none", () => {
  expect(parseSpoolHead(Buffer.alloc(SPOOL_HEAD_BYTES))).toBeUndefined();
  expect(parseSpoolHead(headOf(BLOCK).subarray(0, 31))).toBeUndefined();
  for (let at = 0; at < 32; at++) {
    const head = headOf(BLOCK);
    head[at] = (head[at] ?? 0) ^ 0x40;
    expect([at, parseSpoolHead(head)]).toEqual([at, undefined]);
  }
});

test("a head that promises what no composer writes is none", () => {
  for (const wrong of [
    { sizeBytes: CORE_BLOCK_BYTES + 1 },
    { isZeros: true, sizeBytes: 100 },
    { offset: 2 ** 60 },
  ])
    expect(parseSpoolHead(headOf({ ...BLOCK, ...wrong }))).toBeUndefined();
});
