import { expect, test } from "bun:test";
import { readComposerSettings } from "../../../src/config/composer-settings.ts";
import { shareOf } from "../../../src/model/disk-share.ts";

test.each([
  ["10%", 10_000, 1000],
  ["0%", 10_000, 0],
  ["100%", 10_000, 10_000],
  ["12.5%", 1000, 125],
  ["4096", 10_000, 4096],
  ["0", 10_000, 0],
  ["nonsense", 10_000, 0],
])("%s of %d bytes is %d", (text, total, bytes) => {
  expect(shareOf(text, total)).toBe(bytes);
});

test.each([
  ["5Gi", String(5 * 2 ** 30)],
  ["500M", "500000000"],
  ["7%", "7%"],
])("the setting %s is kept as %s", (text, value) => {
  const { settings, complaints } = readComposerSettings({ DISK_QUOTA: text });
  expect(complaints).toEqual([]);
  expect(settings.DISK_QUOTA).toBe(value);
  // What the agent writes to `.env` reads back as the same.
  expect(readComposerSettings({ DISK_QUOTA: value }).settings.DISK_QUOTA).toBe(value);
});

test.each(["101%", "-1", "10 %", "all", "%"])("%p is refused and the default stays", (text) => {
  const { settings, complaints } = readComposerSettings({ DISK_FREE: text });
  expect(complaints.map(({ variable }) => variable)).toEqual(["DISK_FREE"]);
  expect(settings.DISK_FREE).toBe("15%");
});
