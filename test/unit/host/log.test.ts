import { expect, test } from "bun:test";
import { openLog, type LogFormat, type LogLevel } from "../../../src/host/log.ts";

function record(format: LogFormat, level: LogLevel = "Debug") {
  const lines: string[] = [];
  const now = () => new Date("2026-01-02T03:04:05.678Z");
  return { lines, log: openLog({ level, format, now, write: (line) => lines.push(line) }) };
}

test("a text line holds time, level, event and fields", () => {
  const { lines, log } = record("text");
  log.info("dump_delivered", { key: "a/b.zip", sizeBytes: 12, note: "two words" });
  expect(lines).toEqual([
    '2026-01-02T03:04:05.678Z INFO  dump_delivered key=a/b.zip sizeBytes=12 note="two words"\n',
  ]);
});

test("a JSON line is one object with time, level and event first", () => {
  const { lines, log } = record("json");
  log.error("sweep_failed", { cause: null, ok: false });
  expect(lines).toEqual([
    '{"time":"2026-01-02T03:04:05.678Z","level":"error","event":"sweep_failed","cause":null,"ok":false}\n',
  ]);
});

test.each(["text", "json"] as const)("hostile text stays on one %s line", (format) => {
  const { lines, log } = record(format);
  log.warn("crash", { exe: 'x\n{"event":"forged"}\r\u2028\u202e\u0085\u001b[31m' });
  expect(lines).toHaveLength(1);
  // eslint-disable-next-line no-control-regex -- the absence of control characters is the point
  expect(lines[0]).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u0085\u2028\u202e]/);
  expect(lines[0]?.match(/\n/g)).toHaveLength(1);
});

test("a field cannot pose as the event", () => {
  const { lines, log } = record("json");
  log.info("real", { event: "forged", level: "forged", time: "forged" });
  expect(JSON.parse(lines[0] ?? "")).toEqual({
    time: "2026-01-02T03:04:05.678Z",
    level: "info",
    event: "real",
  });
});

test("lines below the level are not written", () => {
  const { lines, log } = record("text", "Warn");
  log.debug("a");
  log.info("b");
  log.warn("c");
  log.error("d");
  expect(lines.map((line) => line.trim().split(" ").at(-1))).toEqual(["c", "d"]);
});
