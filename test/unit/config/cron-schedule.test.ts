import { expect, test } from "bun:test";
import { readSchedule } from "../../../src/config/cron-schedule.ts";

/** A Wednesday. */
const FROM = new Date("2026-11-25T16:00:30Z");
const runsOf = (expression: string, timeZone = "UTC") =>
  readSchedule(expression, timeZone)
    ?.nextRuns(2, FROM)
    .map((run) => run.toISOString().replace(":00.000Z", ""));

test.each([
  ["0 0 3 * * 1", "2026-11-29T03:00", "2026-12-06T03:00"],
  ["0 0 3 * * 7", "2026-11-28T03:00", "2026-12-05T03:00"],
  ["0 0 3 * * SUN", "2026-11-29T03:00", "2026-12-06T03:00"],
  ["0 0 3 ? * Monday-Friday", "2026-11-26T03:00", "2026-11-27T03:00"],
  // The day of the month and the weekday: the next two Fridays that are a 13th.
  ["0 0 3 13 * 6", "2027-08-13T03:00", "2028-10-13T03:00"],
  ["0 0 0 1 January * 2028-2029", "2028-01-01T00:00", "2029-01-01T00:00"],
  ["30 1/60 * * * *", "2026-11-25T16:01:30.000Z", "2026-11-25T17:01:30.000Z"],
])("with seconds first, %p is in IBM's dialect", (expression, first, second) => {
  expect(runsOf(expression)).toEqual([first, second]);
  expect(readSchedule(expression, "UTC")?.dialect).toContain("1 = Sunday");
});

test.each([
  ["0 3 * * 0", "2026-11-29T03:00", "2026-12-06T03:00"],
  ["0 3 * * 7", "2026-11-29T03:00", "2026-12-06T03:00"],
  ["0 3 * * 1", "2026-11-30T03:00", "2026-12-07T03:00"],
  // The day of the month or the weekday.
  ["0 3 26 * 5", "2026-11-26T03:00", "2026-11-27T03:00"],
  ["@daily", "2026-11-26T00:00", "2026-11-27T00:00"],
])("five fields %p are cron(5)'s", (expression, first, second) => {
  expect(runsOf(expression)).toEqual([first, second]);
  expect(readSchedule(expression, "UTC")?.dialect).toStartWith("cron(5)");
});

test("a schedule is read in its time zone", () => {
  expect(runsOf("0 0 3 * * 1", "Asia/Tokyo")).toEqual(["2026-11-28T18:00", "2026-12-05T18:00"]);
});

test.each([
  "* * * *",
  "* * * * * * * *",
  "0 0 3 * * 0",
  "0 0 3 * * 8",
  "0 0 0 30 2 *",
  "0 0 0 1 1 * 2020",
  "61 * * * *",
  "soon",
])("%p is none", (expression) => {
  expect(readSchedule(expression, "UTC")).toBeUndefined();
});
