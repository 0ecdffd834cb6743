import { expect, test } from "bun:test";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publishFile, renameUnlessTaken } from "../../../src/host/publication.ts";
import { failureOf } from "../../support/failure.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("twenty that want one name at once get twenty names, and none loses its bytes", () =>
  withFolder(async (folder) => {
    const hidden = Array.from({ length: 20 }, (_, i) => join(folder, `.hidden-${i}`));
    for (const path of hidden) writeFileSync(path, path);
    const names = await Promise.all(hidden.map((path) => publishFile(path, "T")));
    expect(new Set(names).size).toBe(20);
    expect(names).toContain("T.zip");
    expect(readdirSync(folder).toSorted()).toEqual(names.toSorted());
    for (const [i, name] of names.entries())
      expect(readFileSync(join(folder, name), "utf8")).toBe(hidden[i] ?? "");
  }));

test("without hard links, of twenty that rename to one name at once one gets it", () =>
  withFolder(async (folder) => {
    const hidden = Array.from({ length: 20 }, (_, i) => join(folder, `.hidden-${i}`));
    for (const path of hidden) writeFileSync(path, path);
    const target = join(folder, "T.zip");
    const got = await Promise.all(hidden.map((path) => renameUnlessTaken(path, target)));
    expect(got.filter(Boolean)).toHaveLength(1);
    expect(readdirSync(folder)).toHaveLength(20);
    expect(readFileSync(target, "utf8")).toBe(hidden[got.indexOf(true)] ?? "");
  }));

test("a file that is gone cannot be published", () =>
  withFolder(async (folder) => {
    expect(await failureOf(publishFile(join(folder, "gone"), "T"))).toMatch(
      /cannot publish T.zip.*ENOENT/,
    );
  }));
