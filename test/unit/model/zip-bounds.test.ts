import { expect, test } from "bun:test";
import { boundEntries } from "../../../src/model/zip-bounds.ts";
import type { ZipEntry } from "../../../src/model/zip-directory.ts";

const entry = (name: string, offset: number, fields: Partial<ZipEntry> = {}): ZipEntry => ({
  name,
  method: 8,
  crc: 0,
  sizeBytes: 1000,
  packedBytes: 100,
  offset,
  ...fields,
});

test("entries that lie side by side end where the next one begins, in whatever order they are listed", () => {
  const bounded = boundEntries([entry("b", 500), entry("a", 0)], 1000);
  expect(bounded.map(({ name, limit }) => [name, limit])).toEqual([
    ["b", 1000],
    ["a", 500],
  ]);
});

test("an empty zip has no entries, and that is no fault", () => {
  expect(boundEntries([], 0)).toEqual([]);
});

test.each([
  ["two that begin at one place", [entry("a", 0), entry("b", 0)], /a overlaps b/],
  ["one that holds the next", [entry("a", 0, { packedBytes: 900 }), entry("b", 500)], /overlaps b/],
  ["one that reaches into the directory", [entry("a", 900)], /a overlaps the directory/],
  ["a stored one that is longer than it is", [entry("a", 0, { method: 0 })], /cannot have 1000/],
  ["a stored one that is shorter", [entry("a", 0, { method: 0, sizeBytes: 1 })], /cannot have 1 b/],
  ["a size beyond deflate", [entry("a", 0, { sizeBytes: 103_201 })], /cannot have 103201/],
  ["a size beyond a number", [entry("a", 0, { sizeBytes: 2 ** 64 })], /cannot have/],
])("%s is refused by its name", (_, entries, words) => {
  expect(() => boundEntries(entries, 1000)).toThrow(words);
});

test("a core may be nearly all zeros, and as large as a file can be; what is beside it may not", () => {
  const packedBytes = 2 ** 30;
  const large = { packedBytes, sizeBytes: packedBytes * 1000 };
  expect(boundEntries([entry("T.core", 0, large)], 2 ** 31)).toHaveLength(1);
  expect(() => boundEntries([entry("T-0.log", 0, large)], 2 ** 31)).toThrow(
    "what is beside its core would unpack to 1000 GiB",
  );
  expect(() =>
    boundEntries([entry("T.core", 0, { packedBytes: 2 ** 35, sizeBytes: 2 ** 44 + 1 })], 2 ** 36),
  ).toThrow("its core would unpack to 16.0 TiB");
  const two = [entry("T.core", 0, large), entry("U.core", 2 ** 31, large)];
  expect(() => boundEntries(two, 2 ** 32)).toThrow("beside its core");
});

test("a directory of more entries than any dump has is refused", () => {
  const many = Array.from({ length: 65_536 }, (_, n) => entry(`${n}`, n * 200));
  expect(() => boundEntries(many, 2 ** 30)).toThrow("65536 entries");
});
