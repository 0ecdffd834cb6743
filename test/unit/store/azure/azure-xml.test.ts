import { expect, test } from "bun:test";
import {
  beginningOf,
  formatBlockId,
  makeUploadId,
  parseBlockId,
} from "../../../../src/store/azure/azure-block-id.ts";
import {
  encodeBlockId,
  formatBlockList,
  parseBlobs,
  parseBlocks,
} from "../../../../src/store/azure/azure-xml.ts";

test("a block's id says its upload, number and MD5, in 56 bytes, and no other text does", () => {
  const nowMs = Date.UTC(2026, 10, 25);
  const id = { uploadId: makeUploadId(nowMs), number: 50_000, md5Hex: "ab".repeat(16) };
  const text = formatBlockId(id);
  expect(text).toHaveLength(56);
  expect(parseBlockId(text)).toEqual(id);
  expect(beginningOf(id.uploadId)).toBe(nowMs);
  for (const other of ["", "block-1", `${text}x`, text.toUpperCase()])
    expect(parseBlockId(other)).toBeUndefined();
});

test("block lists are read and written", () => {
  const xml = `<?xml version="1.0"?><BlockList><CommittedBlocks/><UncommittedBlocks><Block><Name>${encodeBlockId("one")}</Name><Size>5</Size></Block><Block>\n<Name>${encodeBlockId("two")}</Name>\n<Size>6</Size></Block></UncommittedBlocks></BlockList>`;
  expect(parseBlocks(xml)).toEqual([
    { id: "one", sizeBytes: 5 },
    { id: "two", sizeBytes: 6 },
  ]);
  expect(parseBlocks("<BlockList/>")).toEqual([]);
  expect(formatBlockList(["one"])).toContain("<BlockList><Latest>b25l</Latest></BlockList>");
});

test("names of blobs are read, whatever they hold", () => {
  const blob = (name: string, attributes = "") =>
    `<Blob><Name${attributes}>${name}</Name><Properties><Last-Modified>Wed, 25 Nov 2026 10:00:00 GMT</Last-Modified><Content-Length>7</Content-Length></Properties></Blob>`;
  const xml = `<EnumerationResults><Blobs>${blob("a &amp; b &lt;&#x41;&#66;.zip")}${blob("c%01.zip", ' Encoded="true"')}</Blobs><NextMarker>n</NextMarker></EnumerationResults>`;
  const modifiedMs = Date.UTC(2026, 10, 25, 10);
  expect(parseBlobs(xml)).toEqual({
    blobs: [
      { key: "a & b <AB.zip", sizeBytes: 7, modifiedMs },
      { key: "c\u0001.zip", sizeBytes: 7, modifiedMs },
    ],
    next: "n",
  });
  expect(parseBlobs("<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>").next).toBe(
    "",
  );
});
