import { expect, test } from "bun:test";
import { randomFillSync } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import { BlockDeflater } from "../../../src/composer/block-deflater.ts";
import { deflateZeros } from "../../../src/model/block-deflate.ts";
import { CORE_BLOCK_BYTES, FINAL_BLOCK } from "../../../src/model/partial-layout.ts";

/** Blocks of every kind that a core is made of: noise, text, zeros, halves of each. */
function makeBlock(kind: number, sizeBytes: number): Buffer {
  const block = Buffer.alloc(sizeBytes);
  if (kind % 4 === 1) randomFillSync(block);
  if (kind % 4 === 2) block.fill("registers and stacks; ");
  if (kind % 4 === 3) randomFillSync(block, 0, sizeBytes >> 1);
  return block;
}

test("blocks of any kind and size, deflated side by side, are one stream in their order", async () => {
  const blocks = Array.from({ length: 200 }, (_, i) =>
    makeBlock(i, [CORE_BLOCK_BYTES, 1, 65_535, 65_536, 65_537, 4096][i % 6] ?? 1),
  );
  const outputs: Uint8Array[] = Array.from({ length: blocks.length }, () => new Uint8Array(0));
  const lanes = Array.from({ length: 4 }, async (_, lane) => {
    const deflater = new BlockDeflater();
    for (let i = lane; i < blocks.length; i += 4)
      outputs[i] = Buffer.concat(await deflater.run(blocks[i] ?? Buffer.alloc(0)));
  });
  await Promise.all(lanes);
  const stream = Buffer.concat([...outputs, FINAL_BLOCK]);
  expect(inflateRawSync(stream).equals(Buffer.concat(blocks))).toBe(true);
});

test("each block stands for itself: the stream can be cut after any of them", async () => {
  const deflater = new BlockDeflater();
  const same = makeBlock(2, CORE_BLOCK_BYTES);
  await deflater.run(same);
  const second = Buffer.concat(await deflater.run(same));
  expect(inflateRawSync(Buffer.concat([second, FINAL_BLOCK])).equals(same)).toBe(true);
});

test("noise grows by little", async () => {
  const output = await new BlockDeflater().run(makeBlock(1, CORE_BLOCK_BYTES));
  const sizeBytes = output.reduce((sum, { length }) => sum + length, 0);
  expect(sizeBytes).toBeLessThan(CORE_BLOCK_BYTES * 1.002);
});

test("a block of zeros has a short form that is made once", () => {
  const zeros = deflateZeros(CORE_BLOCK_BYTES);
  expect(zeros.length).toBeLessThan(400);
  const stream = Buffer.concat([zeros, zeros, FINAL_BLOCK]);
  expect(inflateRawSync(stream).equals(Buffer.alloc(2 * CORE_BLOCK_BYTES))).toBe(true);
});
