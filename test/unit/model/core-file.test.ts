import { expect, test } from "bun:test";
import { kindOfCoreFile, partialName, uuidOfPartial } from "../../../src/model/core-file.ts";

test("a dump under way is hidden, carries its uuid and is no dump yet", () => {
  const uuid = crypto.randomUUID();
  expect(partialName(uuid)).toStartWith(".");
  expect(kindOfCoreFile(partialName(uuid))).toBe("partial");
  expect(uuidOfPartial(partialName(uuid))).toBe(uuid);
});

test.each([
  ["T.zip", "dump"],
  ["T-1.zip", "dump"],
  [".T.zip.upload.json", "journal"],
  [".T.zip.upload.json.new", "journal"],
  [".hidden.zip", "foreign"],
  ["T.core", "foreign"],
  [".cdh-short.partial", "foreign"],
  ["", "foreign"],
] as const)("%p is a %s", (name, kind) => {
  expect(kindOfCoreFile(name)).toBe(kind);
});
