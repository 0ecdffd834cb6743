// What an object must show to be the dump.
import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { digestFile } from "../../../../src/store/google/google-digest.ts";
import {
  compareObject,
  parseObject,
  receiptOf,
  type GoogleObject,
} from "../../../../src/store/google/google-object.ts";
import { temporaryFolder, writeDump } from "../../../support/dumps.ts";

const never = new AbortController().signal;

test("the checksum decides, and for somebody else's object the MD5 too", async () => {
  const path = writeDump(temporaryFolder(), "T.zip", { coreBytes: 3000 });
  const sizeBytes = statSync(path).size;
  const dump = { path, sizeBytes, deliveryId: "ours", labels: { facts: {}, tags: {} } };
  const { crc32c, md5 } = await digestFile(path, sizeBytes, true, never);
  const found: GoogleObject = {
    name: "T.zip",
    size: sizeBytes,
    updated: "",
    crc32c,
    md5Hash: md5,
    generation: "1",
    metadata: { cdhdelivery: "ours" },
  };
  const theirs = { metadata: {} };
  for (const proof of [undefined, { crc32c }, { crc32c: "AAAAAA==" }, "synced"]) {
    const isWrong = typeof proof === "object" && proof.crc32c !== crc32c;
    const compare = (changes: Partial<GoogleObject>) =>
      compareObject({ ...found, ...changes }, dump, proof, never);
    expect(await compare({})).toBe(isWrong ? "damaged" : "same");
    expect(await compare(theirs)).toBe(isWrong ? "different" : "same");
    expect(await compare({ ...theirs, md5Hash: "AAAA" })).toBe("different");
    expect(await compare({ ...theirs, md5Hash: undefined })).toBe("different");
    expect(await compare({ crc32c: "BBBBBB==" })).toBe("damaged");
    expect(await compare({ ...theirs, crc32c: "BBBBBB==" })).toBe("different");
    expect(await compare({ size: 7 })).toBe("damaged");
    expect(await compare({ crc32c: undefined })).toBe("damaged");
  }
  expect(receiptOf(crc32c, found).isSufficient).toBe(true);
  expect(receiptOf("AAAAAA==", found).isSufficient).toBe(false);
});

test.each(["", "{}", '{"name":"a","size":"x","generation":"1"}', "<html>"])(
  "%p is no object",
  (text) => {
    expect(() => parseObject(Buffer.from(text), "look at T.zip")).toThrow("the answer was broken");
  },
);
