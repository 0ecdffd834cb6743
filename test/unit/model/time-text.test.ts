import { expect, test } from "bun:test";
import { parseSince } from "../../../src/model/time-text.ts";

const NOW = Date.parse("2023-11-16T00:00:00Z");

test.each(["24h", "2d", "2023-11-14", "2023-11-14T22:13:20Z"])("%s is understood", (text) => {
  const sinceMs = parseSince(text, NOW);
  expect(sinceMs).toBeGreaterThan(Date.parse("2023-11-13"));
  expect(sinceMs).toBeLessThan(NOW);
});

test("what is no time is refused with what would be one", () => {
  expect(() => parseSince("yesterday", NOW)).toThrow('--since "yesterday" is no time');
});
