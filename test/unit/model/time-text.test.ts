import { expect, test } from "bun:test";
import { describeError } from "../../../src/model/app-error.ts";
import { parseMoment } from "../../../src/model/time-text.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const moment = (text: string) => new Date(parseMoment("--since", text, NOW)).toISOString();

test.each([
  ["5s", "2026-11-22T09:59:55.000Z"],
  ["90m", "2026-11-22T08:30:00.000Z"],
  ["1h30m", "2026-11-22T08:30:00.000Z"],
  ["1h 30m ago", "2026-11-22T08:30:00.000Z"],
  ["24H", "2026-11-21T10:00:00.000Z"],
  ["7d", "2026-11-15T10:00:00.000Z"],
  ["2w", "2026-11-08T10:00:00.000Z"],
  ["now", "2026-11-22T10:00:00.000Z"],
  ["today", "2026-11-22T00:00:00.000Z"],
  ["Yesterday", "2026-11-21T00:00:00.000Z"],
  ["2026-11-20", "2026-11-20T00:00:00.000Z"],
  ["2026-11-20 08:15", "2026-11-20T08:15:00.000Z"],
  ["2026-11-20T08:15:30Z", "2026-11-20T08:15:30.000Z"],
  ["2026-11-20T08:15:30+02:00", "2026-11-20T06:15:30.000Z"],
])("%p is %s", (text, expected) => {
  expect(moment(text)).toBe(expected);
});

test.each(["", "soon", "24", "h", "-1h", "2026-13-45", "2026-11-20T25:00", "24h\n7x"])(
  "%j is refused with the option and what would be right",
  (text) => {
    try {
      parseMoment("--until", text, NOW);
      expect.unreachable();
    } catch (error) {
      expect(describeError(error)).toContain(
        `--until ${JSON.stringify(text).replaceAll("\\n", "\\n")}`,
      );
      expect(describeError(error)).toContain("yesterday");
    }
  },
);
