import { expect, test } from "bun:test";
import { closeSync, linkSync, openSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { markOwner, readOwnerMark } from "../../../src/host/owner-mark.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const OWNER = { namespace: "a".repeat(63), workload: "0123456789ab" };

test("a mark stays with the file under another name, and is not read through a link", async () => {
  await withFolder(async (folder) => {
    const [hidden, zip, link] = ["hidden", "x.zip", "link"].map((name) => join(folder, name));
    if (hidden === undefined || zip === undefined || link === undefined) throw new Error();
    writeFileSync(hidden, "dump");
    expect(readOwnerMark(hidden)).toBeUndefined();
    const fd = openSync(hidden, "r+");
    expect(markOwner(fd, { namespace: "(unknown)", workload: "x" })).toBe(true);
    expect(markOwner(fd, OWNER)).toBe(true);
    closeSync(fd);
    linkSync(hidden, zip);
    unlinkSync(hidden);
    symlinkSync(zip, link);
    expect(readOwnerMark(zip)).toEqual(OWNER);
    expect(readOwnerMark(link)).toBeUndefined();
    expect(readOwnerMark(hidden)).toBeUndefined();
    expect(readOwnerMark(`${folder}/${"x".repeat(5000)}`)).toBeUndefined();
  });
});

test("where attributes cannot be set, it says so", () => {
  const fd = openSync("/proc/self/status", "r");
  expect(markOwner(fd, OWNER)).toBe(false);
  closeSync(fd);
});
