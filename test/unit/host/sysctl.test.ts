import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failureOf } from "../../support/failure.ts";
import { readSysctl, writeSysctl } from "../../../src/host/sysctl.ts";
import { CORE_PATTERN, SUID_DUMPABLE } from "../../../src/model/sysctls.ts";

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), "proc-"));
  mkdirSync(join(proc, "sys", "kernel"), { recursive: true });
  writeFileSync(join(proc, "sys", "kernel", "core_pattern"), "|/usr/share/apport/apport -p%p\n");
});
afterEach(() => rmSync(proc, { recursive: true, force: true }));

test("a value is read without its newline", async () => {
  expect(await readSysctl(proc, CORE_PATTERN)).toBe("|/usr/share/apport/apport -p%p");
});

test("a shorter value replaces a longer one", async () => {
  await writeSysctl(proc, CORE_PATTERN, "core");
  expect(readFileSync(join(proc, "sys", "kernel", "core_pattern"), "utf8")).toBe("core\n");
});

test("a kernel without the setting is one clear error, and no file is made", async () => {
  expect(await failureOf(writeSysctl(proc, SUID_DUMPABLE, "2"))).toContain(
    "cannot set fs.suid_dumpable",
  );
  expect(await failureOf(readSysctl(proc, SUID_DUMPABLE))).toContain(
    "cannot read fs.suid_dumpable",
  );
});

test("a value that does not read back as written is an error naming what stands there", async () => {
  // /dev/null takes every write and reads back as nothing.
  rmSync(join(proc, "sys", "kernel", "core_pattern"));
  symlinkSync("/dev/null", join(proc, "sys", "kernel", "core_pattern"));
  expect(await failureOf(writeSysctl(proc, CORE_PATTERN, "|/x/cdc"))).toContain(
    'kernel.core_pattern was set to "|/x/cdc" and now reads ""',
  );
});
