// The folder that a debugger gets: nothing that a crashed process calls its files leads out of it.
import { expect, test } from "bun:test";
import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import type { SearchedFile } from "../../../../src/reading/modules/module-search.ts";
import { layOut } from "../../../../src/reading/modules/sysroot.ts";
import { temporaryFolder } from "../../../support/dumps.ts";

function file(path: string, names: string[] = [], isProgram = false): SearchedFile {
  const wanted = {
    path,
    names,
    start: 0n,
    end: 1n,
    buildId: null,
    sha256: null,
    isProgram,
    picture: undefined,
    stub: Buffer.from("stub"),
  };
  return { wanted, path: "/bin/ls", source: "the store", line: undefined };
}

test("files stand at their paths, at the loader's names, and by their names alone", async () => {
  const folder = temporaryFolder();
  const files = [
    file("/opt/app", [], true),
    file("/usr/lib/x86_64/libc.so.6.1", ["/lib/x86_64/libc.so.6"]),
  ];
  const debug = new Map([["abcdef", "/bin/cat"]]);
  const layout = await layOut(folder, files, debug);
  expect(layout.program).toBe(join(folder, "sysroot/opt/app"));
  for (const path of [
    "usr/lib/x86_64/libc.so.6.1",
    "usr/lib/x86_64/libc.so.6",
    "lib/x86_64/libc.so.6",
  ])
    expect(realpathSync(join(layout.sysroot, path))).toBe(realpathSync("/bin/ls"));
  expect(readdirSync(layout.libraries).sort()).toEqual(["app", "libc.so.6", "libc.so.6.1"]);
  expect(realpathSync(join(layout.debug, ".build-id/ab/cdef.debug"))).toBe(
    realpathSync("/bin/cat"),
  );
});

test("strange names cost themselves only, and nothing is written outside", async () => {
  const folder = temporaryFolder();
  const inner = join(folder, "inner");
  await Bun.write(join(inner, "x"), "");
  const files = [
    file("/lib", [], true),
    file("/lib/below-a-file"),
    file(`/${"n".repeat(300)}`),
    file("/usr/lib/a", ["/lib/../../../escaped", "/lib"]),
    file("/fine"),
  ];
  const layout = await layOut(inner, files, new Map());
  expect(existsSync(join(layout.sysroot, "fine"))).toBe(true);
  expect(readdirSync(folder)).toEqual(["inner"]);
  expect(existsSync("/escaped")).toBe(false);
});

test("copies keep their bytes and times, to be taken elsewhere", async () => {
  const folder = temporaryFolder();
  const layout = await layOut(folder, [file("/opt/app")], new Map(), {
    made: "copies",
    hasStubs: false,
  });
  const copied = join(layout.sysroot, "opt/app");
  expect(readFileSync(copied).equals(readFileSync("/bin/ls"))).toBe(true);
  expect(Math.floor(statSync(copied).mtimeMs)).toBe(Math.floor(statSync("/bin/ls").mtimeMs));
});

test("a stub stands for what is missing, so that lldb takes no other build from this machine", async () => {
  const folder = temporaryFolder();
  const files = [
    { ...file("/usr/lib/libx.so.1.2", ["/usr/lib/libx.so.1"]), path: undefined },
    file("/opt/app"),
  ];
  const layout = await layOut(folder, files, new Map(), { made: "links", hasStubs: true });
  for (const path of [
    "sysroot/usr/lib/libx.so.1.2",
    "sysroot/usr/lib/libx.so.1",
    "libraries/libx.so.1",
  ])
    expect(readFileSync(join(folder, path), "utf8")).toBe("stub");
  expect(realpathSync(join(layout.sysroot, "opt/app"))).toBe(realpathSync("/bin/ls"));
});
