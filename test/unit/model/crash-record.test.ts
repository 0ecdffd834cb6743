import { expect, test } from "bun:test";
import {
  formatCrashRecord,
  parseCrashRecord,
  parseLooseRecord,
} from "../../../src/model/crash-record.ts";

const HEAD = { time: "2026-01-01T00:00:00.000Z", level: "info", uuid: "u" } as const;

test("a record comes back as it was written", () => {
  const fields = {
    reason: "a\nrule\u2028",
    namespace: "shop",
    refused: true,
    core_bytes: 7,
  } as const;
  const line = formatCrashRecord(HEAD, "dump_skipped", fields);
  expect(line.match(/[\n\u2028]/g)).toEqual(["\n"]);
  expect(parseCrashRecord(line)).toEqual({ ...HEAD, event: "dump_skipped", ...fields });
});

test("what another version wrote is read as far as it goes", () => {
  expect(
    parseCrashRecord(
      '{"event":"dump_published","uuid":7,"zip":"a.zip","core_bytes":"many","new":1}',
    ),
  ).toEqual({
    time: "",
    level: "info",
    uuid: "",
    event: "dump_published",
    zip: "a.zip",
    namespace: null,
    podname: null,
    core_bytes: 0,
    core_complete: null,
    truncated_by: null,
    zip_bytes: 0,
    missing: "",
    drained_ms: 0,
    total_ms: 0,
    canary: undefined,
  });
});

test("an event of another version is a line, and no crash of ours", () => {
  const line = '{"level":"warn","event":"from_the_future","what":1}';
  expect(parseCrashRecord(line)).toBeUndefined();
  expect(parseLooseRecord(line)).toMatchObject({
    level: "warn",
    event: "from_the_future",
    what: 1,
  });
});

test.each(["", "x", "[]", "[{}]", "7", "null", '"a"', '{"event":"dump_fai'])(
  "%j is no record",
  (line) => {
    expect(parseLooseRecord(line)).toBeUndefined();
  },
);

test("an event called like a property of every object is none of ours", () => {
  for (const event of ["constructor", "__proto__", "toString"])
    expect(parseCrashRecord(JSON.stringify({ event }))).toBeUndefined();
});
