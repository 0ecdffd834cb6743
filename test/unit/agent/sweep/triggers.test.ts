import { afterEach, beforeEach, expect, test } from "bun:test";
import { linkSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uploadsAreOn } from "../../../../src/config/schedule-settings.ts";
import { startTriggers } from "../../../../src/agent/sweep/triggers.ts";
import { readAgentSettings } from "../../../../src/config/agent-settings.ts";
import { openLog } from "../../../../src/host/log.ts";

let coreDir: string;
let stop: AbortController;
let lines: string[];
beforeEach(() => {
  coreDir = mkdtempSync(join(tmpdir(), "cores-"));
  stop = new AbortController();
  lines = [];
});
afterEach(() => {
  stop.abort();
  rmSync(coreDir, { recursive: true, force: true });
});

/** Starts the triggers; `next` settles with the reason of the next request. */
function start(environment: Record<string, string>) {
  const waiting: ((reason: string) => void)[] = [];
  const early: string[] = [];
  startTriggers({
    settings: readAgentSettings({ CORE_DIR: coreDir, ...environment }),
    log: openLog({ level: "Info", format: "text", write: (line) => lines.push(line) }),
    signal: stop.signal,
    request: (reason) => {
      const waiter = waiting.shift();
      if (waiter === undefined) early.push(reason);
      else waiter(reason);
    },
  });
  return async () => {
    const reason = early.shift();
    if (reason !== undefined) return reason;
    const { promise, resolve } = Promise.withResolvers<string>();
    waiting.push(resolve);
    return promise;
  };
}

test("INTERVAL asks again and again", async () => {
  const next = start({ INTERVAL: "5" });
  expect([await next(), await next(), await next()]).toEqual(["interval", "interval", "interval"]);
});

test("SCHEDULE with seconds asks at its times", async () => {
  const next = start({ SCHEDULE: "* * * * * *", TZ: "Asia/Kolkata" });
  expect([await next(), await next()]).toEqual(["schedule", "schedule"]);
});

test("what a SCHEDULE means is logged at the start: its dialect and the next three times", () => {
  start({ SCHEDULE: "0 0 3 * * 1", TZ: "UTC" });
  const [line = ""] = lines;
  expect(line).toContain("1 = Sunday");
  const times = [...line.matchAll(/\d{4}-\d\d-\d\dT03:00:00.000Z/g)].map(
    ([time]) => new Date(time),
  );
  expect(times.map((time) => time.getUTCDay())).toEqual([0, 0, 0]);
});

test("a SCHEDULE whose years are over asks no more, and that is said", async () => {
  const soon = new Date(Date.now() + 1500);
  const [second, minute, hour] = [soon.getUTCSeconds(), soon.getUTCMinutes(), soon.getUTCHours()];
  const day = `${soon.getUTCDate()} ${soon.getUTCMonth() + 1} * ${soon.getUTCFullYear()}`;
  const next = start({ SCHEDULE: `${second} ${minute} ${hour} ${day}`, TZ: "UTC" });
  expect(await next()).toBe("schedule");
  expect(lines.join("")).toContain("schedule_ended");
});

test("INTERVAL wins over SCHEDULE, with a warning", async () => {
  const next = start({ INTERVAL: "5", SCHEDULE: "* * * * * *" });
  for (let count = 0; count < 5; count++) expect(await next()).toBe("interval");
  expect(lines.join("")).toContain("schedule_ignored");
});

test("a dump that is published wakes USE_INOTIFY; a file being written does not", async () => {
  const next = start({ USE_INOTIFY: "true" });
  const partial = join(coreDir, ".cdh-0f8fad5b-d9cb-469f-a165-70867728950e.partial");
  writeFileSync(partial, "zip");
  writeFileSync(join(coreDir, "notes.txt"), "");
  linkSync(partial, join(coreDir, "a.zip"));
  expect(await next()).toBe("inotify");
});

test("a watch that ends because the agent is told to stop is no failure", async () => {
  start({ USE_INOTIFY: "true" });
  stop.abort();
  await Bun.sleep(0);
  await Bun.sleep(0);
  expect(lines).toEqual([]);
});

test("a CORE_DIR that cannot be watched is said, not thrown", () => {
  rmSync(coreDir, { recursive: true });
  start({ USE_INOTIFY: "true" });
  expect(lines.join("")).toContain("watch_failed");
});

test("without a trigger there are no uploads, and the log says so", () => {
  start({});
  expect(lines.join("")).toContain("uploads_off");
  const settings = (environment: Record<string, string>) => readAgentSettings(environment);
  expect(uploadsAreOn(settings({}))).toBe(false);
  expect(uploadsAreOn(settings({ INTERVAL: "0", SCHEDULE: " " }))).toBe(false);
  expect(uploadsAreOn(settings({ USE_INOTIFY: "true" }))).toBe(true);
});

test.each(["1/1 * * * * *", "*/5 * * * *", "@daily"])("SCHEDULE %p is accepted", (expression) => {
  expect(readAgentSettings({ SCHEDULE: expression }).SCHEDULE).toBe(expression);
});

test.each(["* * *", "61 * * * *", "soon", "* * * * * * * *", "0 0 30 2 *"])(
  "SCHEDULE %p is refused by name",
  (expression) => {
    expect(() => readAgentSettings({ SCHEDULE: expression, TZ: "No/Where" })).toThrow(
      /SCHEDULE is .*; TZ is /,
    );
  },
);
