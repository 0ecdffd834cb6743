import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { listZip } from "../../../build/zip-listing.ts";
import { failureOf } from "../../support/failure.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("lists the entries in order, with their sizes", async () => {
  await withFolder(async (folder) => {
    const zip = join(folder, "a.zip");
    const files = { "ü-first.json": strToU8("{}"), "second.core": new Uint8Array(100_000) };
    await writeFile(zip, zipSync(files));
    const listed = await listZip(zip);
    expect(listed.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
      ["ü-first.json", 2],
      ["second.core", 100_000],
    ]);
    expect(listed[1]?.packedBytes).toBeLessThan(1_000);
  });
});

test("a file cut short is no zip", async () => {
  await withFolder(async (folder) => {
    const zip = join(folder, "cut.zip");
    const whole = zipSync({ name: strToU8("text") });
    await writeFile(zip, whole.subarray(0, whole.length - 1));
    expect(await failureOf(listZip(zip))).toContain("no end record");
  });
});
