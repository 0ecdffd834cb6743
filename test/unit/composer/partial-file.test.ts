import { expect, test } from "bun:test";
import {
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { PartialFile, isNoSpace } from "../../../src/composer/partial-file.ts";
import { tryLock } from "../../../src/host/libc.ts";
import { partialName } from "../../../src/model/core-file.ts";
import { failureOf } from "../../support/failure.ts";
import { withFolder } from "../../support/temporary-folder.ts";

const UUID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const NAME = partialName(UUID);
const text = (content: string) => new TextEncoder().encode(content);

test("while it is written it is hidden, private and locked", () =>
  withFolder(async (folder) => {
    const file = await PartialFile.create(folder, UUID);
    expect(readdirSync(folder)).toEqual([NAME]);
    expect(lstatSync(join(folder, NAME)).mode & 0o7777).toBe(0o600);
    const other = openSync(join(folder, NAME), "r");
    expect(tryLock(other)).toBe(false);
    await file.abandon();
    expect(tryLock(other)).toBe(true);
    closeSync(other);
    expect(readdirSync(folder)).toEqual([]);
  }));

test("nothing that lies there before is written to, not even through a link", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "precious"), "precious");
    symlinkSync("precious", join(folder, NAME));
    expect(await failureOf(PartialFile.create(folder, UUID))).toContain("cannot write to CORE_DIR");
    expect(readFileSync(join(folder, "precious"), "utf8")).toBe("precious");
  }));

test("a folder that is not there, or none, is said", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "file"), "");
    for (const path of ["missing", "file"])
      expect(await failureOf(PartialFile.create(join(folder, path), UUID))).toMatch(
        /cannot write.*(ENOENT|ENOTDIR)/,
      );
  }));

test("what is appended stands in order, thousands of parts at once", () =>
  withFolder(async (folder) => {
    const file = await PartialFile.create(folder, UUID);
    await file.append([text("a"), new Uint8Array(0), text("bc")]);
    await file.append([]);
    await file.append(Array.from({ length: 5000 }, () => text("0123456789")));
    expect(file.sizeBytes).toBe(50_003);
    await file.writeAt(1, text("XY"));
    await file.truncate(13);
    await file.append([text("end")]);
    expect(readFileSync(join(folder, NAME), "utf8")).toBe("aXY0123456789end");
    await file.abandon();
  }));

test("beyond 4 GiB it goes on where it should", () =>
  withFolder(async (folder) => {
    const file = await PartialFile.create(folder, UUID);
    await file.truncate(2 ** 33);
    await file.append([text("a"), text("b")]);
    await file.writeAt(2 ** 32 + 1, text("c"));
    expect(file.sizeBytes).toBe(2 ** 33 + 2);
    const there = Bun.file(join(folder, NAME));
    expect(await there.slice(2 ** 33).text()).toBe("ab");
    expect(await there.slice(2 ** 32, 2 ** 32 + 3).text()).toBe("\0c\0");
    await file.abandon();
  }));

test("published, it has its name, is unlocked, and nothing else is left", () =>
  withFolder(async (folder) => {
    const file = await PartialFile.create(folder, UUID);
    await file.append([text("zip")]);
    expect(await file.publish("T")).toBe("T.zip");
    expect(readdirSync(folder)).toEqual(["T.zip"]);
    const published = openSync(join(folder, "T.zip"), "r");
    expect(tryLock(published)).toBe(true);
    closeSync(published);
  }));

test("a name that is taken is never taken away, whatever has it", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "T.zip"), "first");
    await mkdir(join(folder, "T-1.zip"));
    symlinkSync("nowhere", join(folder, "T-2.zip"));
    const file = await PartialFile.create(folder, UUID);
    expect(await file.publish("T")).toBe("T-3.zip");
    expect(readFileSync(join(folder, "T.zip"), "utf8")).toBe("first");
  }));

test("a full disk, quota and file-size limit are told from other failures", () => {
  for (const code of ["ENOSPC", "EDQUOT", "EFBIG"])
    expect(isNoSpace(Object.assign(new Error(code), { code }))).toBe(true);
  for (const other of [
    Object.assign(new Error(""), { code: "EIO" }),
    new Error("ENOSPC"),
    undefined,
  ])
    expect(isNoSpace(other)).toBe(false);
});
