import { expect, test } from "bun:test";
import { expandPipePattern, handlerName } from "../../../src/model/core-handler.ts";

const VALUES = { P: "42", u: "0", h: "my host", e: "a b %P", s: "11" };

test("a pattern becomes a program and its arguments, as the kernel makes them", () => {
  expect(expandPipePattern("|/x/handler %P  %u -h=%h", VALUES)).toEqual([
    "/x/handler",
    "42",
    "0",
    "-h=my host",
  ]);
});

test("no value becomes two arguments, or is expanded again", () => {
  expect(expandPipePattern("|/x %e", VALUES)).toEqual(["/x", "a b %P"]);
});

test("%% is a percent sign, what is unknown vanishes", () => {
  expect(expandPipePattern("|/x 100%% [%Z] %", VALUES)).toEqual(["/x", "100%", "[]", "%"]);
});

test("what starts no program expands to nothing", () => {
  expect(expandPipePattern("core.%p", VALUES)).toEqual([]);
  expect(expandPipePattern("@/run/socket", VALUES)).toEqual([]);
});

test.each([
  ["|/lib/systemd/systemd-coredump %P", "systemd-coredump"],
  ["|/usr/share/apport/apport -p%p", "apport"],
  ["|/opt/other/cdc -P=%P", "another core-dump-handler"],
  ["|/bin/false", "/bin/false"],
  ["core", "plain files named core"],
  ["@@/run/dumps.sock", "the socket /run/dumps.sock"],
])("%p belongs to %p", (pattern, name) => expect(handlerName(pattern)).toBe(name));
