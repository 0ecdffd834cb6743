import { expect, test } from "bun:test";
import { firstFacts } from "../../../src/composer/dump-facts.ts";
import { formatDumpInfo, type DumpInfo } from "../../../src/model/dump-info.ts";
import { FIRST_ENTRY_MAX_BYTES } from "../../../src/model/partial-layout.ts";
import { sampleCrash } from "../../support/sample-crash.ts";

const INFO: DumpInfo = { ...firstFacts(crypto.randomUUID(), sampleCrash()), dump_file: "T.core" };
/** What one character of a text can become at most: \u0001. */
const WORST = "\u0001";

function format(info: DumpInfo, maxBytes = FIRST_ENTRY_MAX_BYTES) {
  const bytes = formatDumpInfo(info, maxBytes);
  expect(bytes.length).toBeLessThanOrEqual(maxBytes);
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as DumpInfo;
}

test("the contract's nine keys stand first, and are strings", () => {
  const entries = Object.entries(format(INFO));
  expect(entries.slice(0, 9).map(([key]) => key)).toEqual([
    "uuid",
    "dump_file",
    "timestamp",
    "hostname",
    "exe",
    "real_pid",
    "signal",
    "node_hostname",
    "path",
  ]);
  for (const [, value] of entries.slice(0, 9)) expect(value).toBeString();
});

test("an ordinary record comes back as it was", () => {
  expect(format(INFO)).toEqual(INFO);
});

test("quotes, control characters and halves of characters survive as valid JSON", () => {
  const exe = 'a"\\\n\u0000\u2028\ud83d';
  expect(format({ ...INFO, exe }).exe).toBe(exe);
});

test("texts that are too long are cut, the lists stay", () => {
  const missing = [{ what: "logs", why: "no time left" }];
  const info = format({ ...INFO, exe: WORST.repeat(5000), path: "p".repeat(5000), missing });
  expect(info.missing).toEqual(missing);
  expect(info.exe).toEndWith("…");
  expect(info.path).toEndWith("…");
});

test("a list that is too long says how much of it is left out", () => {
  const missing = Array.from({ length: 40 }, (_, i) => ({ what: `piece ${i}`, why: "gone" }));
  const info = format({ ...INFO, missing });
  expect(info.missing).toHaveLength(33);
  expect(info.missing.at(-1)).toEqual({ what: "more", why: "8 more, too many for dump-info" });
});

test("lists give way to the facts, and the reasons to the room there is", () => {
  const missing = Array.from({ length: 30 }, (_, i) => ({ what: `${i}`, why: WORST.repeat(300) }));
  const settings_ignored = missing.map(({ why }) => why);
  const info = format({ ...INFO, missing, settings_ignored });
  expect(info.missing.length).toBeGreaterThan(1);
  expect(info.missing.at(-1)?.why).toContain("too many for dump-info");
  expect(info.exe).toBe(INFO.exe);
});

test("16 KiB suffice for the worst that there is", () => {
  const worst = Object.fromEntries(
    Object.entries(INFO).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === "number" ? Number.MAX_SAFE_INTEGER : WORST.repeat(100_000),
    ]),
  ) as unknown as DumpInfo;
  const text = WORST.repeat(100_000);
  const info = format({
    ...worst,
    dump_file: `${"x".repeat(200)}.core`,
    missing: Array.from({ length: 1000 }, () => ({ what: text, why: text })),
    settings_ignored: Array.from({ length: 1000 }, () => text),
  });
  expect(info.missing).toEqual([{ what: "more", why: "1000 more, too many for dump-info" }]);
  expect(info.dump_file).toBe(`${"x".repeat(200)}.core`);
});

test("a room that nothing fits into is an error, not a broken record", () => {
  expect(() => formatDumpInfo(INFO, 100)).toThrow(RangeError);
});
