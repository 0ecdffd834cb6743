// The places of a core file's programs and libraries, out of the container's layers.
import { expect, test } from "bun:test";
import { closeSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyOfCoreFile } from "../../../../src/composer/summary/file-copy.ts";
import { withFolder } from "../../../support/temporary-folder.ts";

const FILES = [
  { start: 0x1000n, end: 0x2000n, path: "/bin/app (deleted)" },
  { start: 0x7000n, end: 0x8000n, path: "/lib/gone.so" },
  { start: 0x9000n, end: 0xa000n, path: "/lib/here.so" },
];
const openDescriptors = () => readdirSync("/proc/self/fd").length;

test("each mapped file that a layer still has is opened, and which is the program is known", () =>
  withFolder(async (layer) => {
    for (const [folder, name] of [
      ["bin", "app"],
      ["lib", "here.so"],
    ] as const) {
      mkdirSync(join(layer, folder));
      writeFileSync(join(layer, folder, name), name);
    }
    const place = { fd: 0, layers: [layer] };
    const copy = copyOfCoreFile({ files: FILES, programHeaders: 0x1040n }, place, 17);
    const texts = copy.descriptors.map((fd) => readFileSync(`/proc/self/fd/${fd}`, "utf8"));
    for (const fd of copy.descriptors) closeSync(fd);
    expect(texts).toEqual(["app", "here.so"]);
    expect(copy).toMatchObject({
      modules: [
        { start: "1000", end: "2000" },
        { start: "9000", end: "a000" },
      ],
      paths: ["/bin/app (deleted)", "/lib/here.so"],
      program: 0,
      endBytes: 17,
    });
  }));

test("without the program's own file nothing is explained, and nothing stays open", () =>
  withFolder(async (layer) => {
    mkdirSync(join(layer, "lib"));
    writeFileSync(join(layer, "lib/here.so"), "");
    const before = openDescriptors();
    const copied = (layers: readonly string[]) => () =>
      copyOfCoreFile({ files: FILES, programHeaders: 0x1040n }, { fd: 0, layers }, 0);
    expect(copied([layer])).toThrow("not there any more");
    expect(copied([])).toThrow("not known where the files");
    expect(openDescriptors()).toBe(before);
  }));
