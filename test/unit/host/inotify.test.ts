import { expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDirectoryAt } from "../../../src/host/confined-files.ts";
import { Inotify } from "../../../src/host/inotify.ts";
import { withFolder } from "../../support/temporary-folder.ts";

function withInotify(body: (inotify: Inotify, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const inotify = Inotify.open();
    try {
      await body(inotify, folder);
    } finally {
      inotify.close();
    }
  });
}

function watch(inotify: Inotify, path: string, options = {}): number {
  const directory = openDirectoryAt(path);
  try {
    return inotify.watch(directory, options);
  } finally {
    closeSync(directory);
  }
}

test("names that appear are told at once, as bytes, whatever way they came", () =>
  withInotify(async (inotify, folder) => {
    await writeFile(join(folder, "before"), "");
    const here = watch(inotify, folder);
    expect(inotify.read()).toEqual([]);
    const odd = Buffer.from([0x61, 0xff, 0x0a]);
    await writeFile(Buffer.concat([Buffer.from(`${folder}/`), odd]), "");
    await rename(join(folder, "before"), join(folder, "after"));
    await mkdir(join(folder, "below"));
    const names = [odd, Buffer.from("after"), Buffer.from("below")];
    expect(inotify.read()).toEqual(names.map((name) => ({ kind: "name", watch: here, name })));
    expect(inotify.read()).toEqual([]);
  }));

test("names that go are told where that was asked for", () =>
  withInotify(async (inotify, folder) => {
    await mkdir(join(folder, "a/x"), { recursive: true });
    await mkdir(join(folder, "b/x"), { recursive: true });
    watch(inotify, join(folder, "a"));
    const both = watch(inotify, join(folder, "b"), { andGo: true });
    await rm(join(folder, "a/x"), { recursive: true });
    await rm(join(folder, "b/x"), { recursive: true });
    expect(inotify.read()).toEqual([{ kind: "name", watch: both, name: Buffer.from("x") }]);
  }));

test("one directory is one watch; it ends with the directory, or when it is told to", () =>
  withInotify(async (inotify, folder) => {
    for (const name of ["a", "b"]) await mkdir(join(folder, name));
    const [a, b] = [watch(inotify, join(folder, "a")), watch(inotify, join(folder, "b"))];
    expect(watch(inotify, join(folder, "a"))).toBe(a);
    await rm(join(folder, "a"), { recursive: true });
    inotify.unwatch(b);
    expect(inotify.read()).toEqual([
      { kind: "gone", watch: a },
      { kind: "gone", watch: b },
    ]);
  }));
