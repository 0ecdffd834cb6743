import { expect, test } from "bun:test";
import {
  CORE_FILE_PREFIX,
  FILE_PATTERN,
  parseCoreFileName,
} from "../../../src/model/core-file-pattern.ts";
import { PATTERN_MAX_LENGTH } from "../../../src/model/core-pattern.ts";
import { parseCommandLine } from "../../../src/composer/command-line.ts";

/** As the kernel makes it (fs/coredump.c, format_corename), from each specifier's value. */
function nameOf(values: Record<string, string>): string {
  const path = FILE_PATTERN.replace(/%(.)/g, (_, letter: string) => values[letter] ?? "");
  return path.slice("/tmp/".length);
}

const CRASH = {
  P: "4242",
  I: "4243",
  p: "1",
  s: "11",
  t: "1790000000",
  c: "18446744073709551615",
  u: "1000",
  g: "1001",
  d: "1",
  e: "app",
  h: "web-0",
};

test("a name becomes the arguments that the pipe would have had", () => {
  const parsed = parseCoreFileName(nameOf(CRASH));
  expect(parsed).toMatchObject({
    hostPid: 4242,
    pid: 1,
    signal: 11,
    timestampSeconds: 1_790_000_000,
  });
  const { crash, complaints } = parseCommandLine(parsed?.flags ?? [], 0);
  expect(complaints).toEqual([]);
  expect(crash).toEqual({
    hostPid: 4242,
    hostTid: 4243,
    pid: 1,
    signal: 11,
    timestampSeconds: 1_790_000_000,
    limitSize: "18446744073709551615",
    uid: 1000,
    gid: 1001,
    dumpable: 1,
    pidfd: null,
    hostname: "web-0",
    exeName: "app",
    pathname: "",
  });
});

for (const exe of ["a~b", "~", "", "x -d=!etc", "1.2.3", "two\nlines", "!sbin!x"])
  test(`a process that calls itself ${JSON.stringify(exe)} changes nothing but its name`, () => {
    const parsed = parseCoreFileName(nameOf({ ...CRASH, e: exe }));
    const { crash } = parseCommandLine(parsed?.flags ?? [], 0);
    expect(crash).toMatchObject({ exeName: exe, hostname: "web-0", hostPid: 4242, dumpable: 1 });
  });

for (const name of [
  "",
  CORE_FILE_PREFIX,
  "core.1",
  `${CORE_FILE_PREFIX}1.2.3.4.5.6.7.8.9`,
  `${CORE_FILE_PREFIX}1.2.3.4.5.6.7.8.9.app`,
  `${CORE_FILE_PREFIX}-1.2.3.4.5.6.7.8.9.app~h`,
  `${CORE_FILE_PREFIX}${"9".repeat(200)}.2.3.4.5.6.7.8.9.app~h`,
  `x${nameOf(CRASH)}`,
])
  test(`${JSON.stringify(name.slice(0, 40))} is no name of the pattern's`, () => {
    expect(parseCoreFileName(name)).toBeUndefined();
  });

test("the pattern and the longest name fit", () => {
  expect(FILE_PATTERN.length).toBeLessThanOrEqual(PATTERN_MAX_LENGTH);
  const longest = nameOf({
    P: "4194304",
    I: "4194304",
    p: "4194304",
    s: "64",
    t: "99999999999",
    c: "18446744073709551615",
    u: "4294967295",
    g: "4294967295",
    d: "2",
    e: "x".repeat(15),
    h: "h".repeat(64),
  });
  expect(longest.length).toBeLessThanOrEqual(255);
});
