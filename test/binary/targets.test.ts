// What each executable asks of the machine it is installed on: promises that users of old hosts rely on.
import { beforeAll, describe, expect, test } from "bun:test";
import { TARGETS } from "../../build/targets.ts";
import { readElfFile, type ElfFile } from "../support/elf-file.ts";
import { builtExecutable } from "../support/executable.ts";

/** RHEL 7's. Also what lets one gnu build serve VENDOR default and rhel7. */
const GLIBC_FLOOR = "2.17";
const BUILD_TIMEOUT_MS = 120_000;

for (const target of TARGETS)
  describe(target.name, () => {
    let elf: ElfFile;
    beforeAll(async () => {
      elf = await readElfFile(await builtExecutable(target));
    }, BUILD_TIMEOUT_MS);

    test("is made for its architecture", () => expect(elf.machine).toBe(target.arch));

    if (target.libc === "gnu") {
      test(`runs on glibc ${GLIBC_FLOOR}`, () => {
        const versions = elf.versions.map((name) => name.replace("GLIBC_", ""));
        expect(versions).toContain(GLIBC_FLOOR);
        expect(versions.filter((version) => Bun.semver.order(version, GLIBC_FLOOR) > 0)).toEqual(
          [],
        );
      });
      test("needs nothing but glibc's own libraries", () => {
        const others = elf.needed.filter((name) => !/^(lib(c|m|dl|pthread)|ld-)/.test(name));
        expect(others).toEqual([]);
      });
    } else
      test("needs musl and libstdc++, and nothing of glibc", () => {
        const { interpreter, needed, versions } = elf;
        expect(interpreter).toStartWith("/lib/ld-musl-");
        expect(needed.map((name) => name.replace(/-[^.]*/, "")).toSorted()).toEqual([
          "libc.musl.so.1",
          "libstdc++.so.6",
        ]);
        expect(versions).toEqual([]);
      });
  });
