// What a blob must show to be the dump.
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { formatBlockId } from "../../../../src/store/azure/azure-block-id.ts";
import { digestPieces } from "../../../../src/store/azure/azure-digest.ts";
import { compareBlob, receiptOf, type FoundBlob } from "../../../../src/store/azure/azure-proof.ts";
import type { Dump } from "../../../../src/store/store-port.ts";
import { temporaryFolder, writeDump } from "../../../support/dumps.ts";

const never = new AbortController().signal;
const uploadId = "0abcdefg-01234567";

async function sample() {
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 3000 });
  const sizeBytes = statSync(path).size;
  const labels = { facts: {}, tags: {} };
  const dump: Dump = { path, sizeBytes, deliveryId: "ours", labels };
  const sizes = [1000, sizeBytes - 1000];
  const digest = await digestPieces(path, sizes, never);
  const blocks = digest.pieces.map((md5Hex, index) => ({
    id: formatBlockId({ uploadId, number: index + 1, md5Hex }),
    sizeBytes: sizes[index] ?? 0,
  }));
  const found: FoundBlob = { sizeBytes, md5: digest.md5, deliveryId: "ours", blocks };
  const compare = (changes: Partial<FoundBlob>, proof = receiptOf(digest, true).proof) =>
    compareBlob({ ...found, ...changes }, dump, proof, never);
  return { dump, found, digest, blocks, compare };
}

test("the bytes decide, by the proof of the write or by reading the dump again", async () => {
  const { compare, blocks } = await sample();
  for (const proof of [undefined, null, "synced"]) {
    expect(await compare({}, proof as undefined)).toBe("same");
    expect(await compare({ blocks: [] }, proof as undefined)).toBe("same");
    expect(await compare({ md5: undefined }, proof as undefined)).toBe("same");
    expect(await compare({ md5: "AAAA" }, proof as undefined)).toBe("damaged");
    expect(await compare({ md5: "AAAA", deliveryId: undefined }, proof as undefined)).toBe(
      "different",
    );
    expect(await compare({ sizeBytes: 7 }, proof as undefined)).toBe("damaged");
    expect(await compare({ md5: undefined, blocks: [] }, proof as undefined)).toBe("damaged");
    expect(await compare({ blocks: blocks.toReversed() }, proof as undefined)).toBe("damaged");
  }
});

test("an MD5 that its writer only claims is not believed where the blocks have other bytes", async () => {
  const { compare, blocks } = await sample();
  const [first, second] = blocks;
  if (first === undefined || second === undefined) throw new Error("two blocks");
  const other = { ...second, id: formatBlockId({ uploadId, number: 2, md5Hex: "0".repeat(32) }) };
  expect(await compare({ blocks: [first, other] })).toBe("damaged");
  expect(await compare({ blocks: [first, other] }, undefined)).toBe("damaged");
});

test("another program's blocks show nothing, so the MD5 decides", async () => {
  const { compare, blocks } = await sample();
  const named = blocks.map((block, index) => ({ ...block, id: `block-${index}` }));
  expect(await compare({ blocks: named })).toBe("same");
  expect(await compare({ blocks: named, md5: undefined })).toBe("damaged");
});
