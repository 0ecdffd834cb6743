import { expect, test } from "bun:test";
import { closeSync, existsSync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replaceDescriptor, setPipeSize, tryLock } from "../../../src/host/libc.ts";
import { withPipe } from "../../support/piped-input.ts";
import { withFolder } from "../../support/temporary-folder.ts";

test("a pipe grows: a writer gets a mebibyte rid of before anyone reads", () =>
  withFolder((folder) =>
    withPipe(
      folder,
      "until [ -e go ]; do sleep 0.01; done; head -c 1048576 /dev/zero; exec >&-; echo done >done",
      async ({ fd }) => {
        expect(setPipeSize(fd, 1 << 20)).toBe(true);
        writeFileSync(join(folder, "go"), "go\n");
        // Ends by itself only where the pipe took it all.
        while (!existsSync(join(folder, "done"))) await Bun.sleep(5);
      },
    ),
  ));

test("what is no pipe stays as it is", () =>
  withFolder(async (folder) => {
    const fd = openSync(join(folder, "file"), "w+");
    expect(setPipeSize(fd, 1 << 20)).toBe(false);
    closeSync(fd);
    expect(setPipeSize(9999, 1 << 20)).toBe(false);
  }));

test("one lock a file, free again when its holder closes it", () =>
  withFolder(async (folder) => {
    const path = join(folder, "file");
    const [first, second] = [openSync(path, "w"), openSync(path, "r")];
    expect([tryLock(first), tryLock(first), tryLock(second)]).toEqual([true, true, false]);
    closeSync(first);
    expect(tryLock(second)).toBe(true);
    closeSync(second);
    expect(tryLock(9999)).toBe(false);
  }));

test("a descriptor can be given another file", () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, "a"), "a");
    writeFileSync(join(folder, "b"), "b");
    const [a, b] = [openSync(join(folder, "a"), "r"), openSync(join(folder, "b"), "r")];
    expect(replaceDescriptor(b, a)).toBe(true);
    expect(fstatSync(a).ino).toBe(fstatSync(b).ino);
    const byte = Buffer.alloc(1);
    readSync(a, byte);
    expect(byte.toString()).toBe("b");
    closeSync(a);
    closeSync(b);
    expect(replaceDescriptor(9999, 9998)).toBe(false);
  }));
