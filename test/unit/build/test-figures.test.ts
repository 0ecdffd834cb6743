import { describe, expect, test } from "bun:test";
import {
  formatFigures,
  parseFigures,
  parseSkipReasons,
  slowestTests,
} from "../../../build/test-figures.ts";

const report = (tests: number, failures: number, skipped: number) =>
  `<?xml version="1.0"?>\n<testsuites name="bun test" tests="${tests}" assertions="9" ` +
  `failures="${failures}" skipped="${skipped}" time="0.1">\n</testsuites>`;

describe("the figures of a test run", () => {
  test("are read from the report's first element", () => {
    expect(parseFigures(report(7, 0, 2), "", true)).toEqual({ passed: 5, failed: 0, skipped: 2 });
  });

  test("count an error outside any test, which the report leaves out", () => {
    const output = " 6 pass\n 1 fail\n 1 error\nRan 7 tests across 2 files.";
    expect(parseFigures(report(7, 1, 0), output, false)).toEqual({
      passed: 6,
      failed: 2,
      skipped: 0,
    });
  });

  test("show a failure when the runner died before its report", () => {
    expect(parseFigures(undefined, "", false).failed).toBe(1);
    expect(parseFigures("<?xml", "", true).failed).toBe(1);
  });

  test("show a failure when the runner ended badly though every test passed", () => {
    expect(parseFigures(report(7, 0, 0), "", false)).toEqual({ passed: 7, failed: 1, skipped: 0 });
  });

  test("show a failure when nothing was tested", () => {
    expect(parseFigures(report(0, 0, 0), "", true).failed).toBe(1);
  });

  test("name the skipped ones only where there are any", () => {
    expect(formatFigures({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
    expect(formatFigures({ passed: 3, failed: 1, skipped: 2 })).toBe(
      "3 passed, 1 failed, 2 skipped",
    );
  });
});

test("the reasons for skips are counted, their XML escapes undone", () => {
  const cases = [
    `<testcase name="a [skipped: needs &quot;gdb&quot; &amp; cc]" time="0">\n <skipped />`,
    `<testcase name="b [skipped: needs &quot;gdb&quot; &amp; cc]" time="0">\n <skipped />`,
    `<testcase name="c" time="0">\n <skipped message="TODO" />`,
    `<testcase name="d [skipped: not really]" time="0" />`,
  ].join("\n</testcase>\n");
  expect([...parseSkipReasons(cases)]).toEqual([
    [`needs "gdb" & cc`, 2],
    ["no reason given", 1],
  ]);
});

test("the slowest tests come first, with their times", () => {
  const cases = [
    `<testcase name="quick" classname="x" time="0.04" file="a" />`,
    `<testcase name="slow &amp; steady" classname="x" time="12.34" file="a" />`,
    `<testcase name="middle" classname="x" time="1" file="a" />`,
  ].join("\n");
  expect(slowestTests(cases, 2)).toEqual(["12.3 s slow & steady", "1.0 s middle"]);
});
