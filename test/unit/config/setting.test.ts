import { describe, expect, test } from "bun:test";
import {
  byteSize,
  choice,
  describeComplaint,
  flag,
  integer,
  path,
  readSettings,
  text,
  type Setting,
} from "../../../src/config/setting.ts";

/** What one setting makes of a text: its value, or "refused". */
function read<T>(setting: Setting<T>, given: string | undefined): T | "refused" {
  const { values, complaints } = readSettings({ X: setting }, { X: given });
  return complaints.length > 0 ? "refused" : values.X;
}

test("unset and blank give the default, without a complaint", () => {
  for (const given of [undefined, "", "   ", "\t"])
    expect(read(integer(7, { min: 0, max: 9, unit: "n" }), given)).toBe(7);
});

test("a wrong value keeps the default, and only that one is complained about", () => {
  const settings = { A: flag(true), B: integer(1, { min: 0, max: 9, unit: "apples" }) };
  expect(readSettings(settings, { A: "perhaps", B: "2" })).toEqual({
    values: { A: true, B: 2 },
    complaints: [{ variable: "A", value: "perhaps", expected: "true or false" }],
  });
});

test("blanks around a value do not count", () => {
  expect(read(flag(false), " true ")).toBe(true);
});

test.each(["true", "TRUE", "1", "yes", "on"])("%p is true", (given) => {
  expect(read(flag(false), given)).toBe(true);
});
test.each(["false", "False", "0", "no", "off"])("%p is false", (given) => {
  expect(read(flag(true), given)).toBe(false);
});

describe("whole numbers", () => {
  const setting = integer(5, { min: 1, max: 600, unit: "seconds" });
  test.each([
    ["1", 1],
    ["600", 600],
    ["007", 7],
    ["0", "refused"],
    ["601", "refused"],
    ["-1", "refused"],
    ["1.5", "refused"],
    ["1e2", "refused"],
    ["0x10", "refused"],
    ["9".repeat(400), "refused"],
    ["٣", "refused"],
  ] as const)("%p", (given, value) => {
    expect(read(setting, given)).toBe(value);
  });
});

describe("sizes", () => {
  test.each([
    ["0", 0],
    ["1073741824", 2 ** 30],
    ["500M", 500e6],
    ["500 m", 500e6],
    ["10Gi", 10 * 2 ** 30],
    ["10GiB", 10 * 2 ** 30],
    ["1.5Ki", 1536],
    ["0.1K", 100],
    ["1Ti", 2 ** 40],
    ["1P", "refused"],
    ["-1", "refused"],
    ["Gi", "refused"],
    ["1e9", "refused"],
    ["9".repeat(30), "refused"],
    ["99999999Ti", "refused"],
  ] as const)("%p", (given, value) => {
    expect(read(byteSize(1), given)).toBe(value);
  });
});

describe("paths", () => {
  test.each([
    ["/a/b", "/a/b"],
    ["/a//b/", "/a/b"],
    ["/", "/"],
    ["//", "/"],
    ["/a..b", "/a..b"],
    ["a/b", "refused"],
    ["/a/../b", "refused"],
    ["/..", "refused"],
    ["/a\nb", "refused"],
    ["~/a", "refused"],
  ] as const)("%p", (given, value) => {
    expect(read(path("/default"), given)).toBe(value);
  });
});

test("one of a few words, in any case, becomes the word as it is documented", () => {
  const setting = choice("Warn", ["Debug", "Warn"]);
  expect(read(setting, "dEBUG")).toBe("Debug");
  expect(read(setting, "Verbose")).toBe("refused");
});

test("a text is one line", () => {
  expect(read(text(""), "a b=c")).toBe("a b=c");
  for (const given of ["a\nb", "a\u0000b", "a\u007fb"])
    expect(read(text(""), given)).toBe("refused");
});

test("a complaint is one line, of a length, and never shows a secret", () => {
  const shown = describeComplaint({
    variable: "A",
    value: `x\n${"y".repeat(5000)}`,
    expected: "z",
  });
  expect(shown).toStartWith('A is "x\\n');
  expect(shown).not.toContain("\n");
  expect(shown.length).toBeLessThan(300);
  const { complaints } = readSettings({ S: text("", { secret: true }) }, { S: "pass\u0007word" });
  expect(complaints.map(describeComplaint)).toEqual(["S is (hidden); expected text on one line"]);
});
