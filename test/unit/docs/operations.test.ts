// docs/operations.md names every metric, event, command, check and exit code that the program has, and none that it
// has not; docs/reading-dumps.md every command on dumps.
import { expect, test } from "bun:test";
import { Glob } from "bun";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKS } from "../../../src/agent/doctor/checks.ts";
import { openAgentMetrics } from "../../../src/agent/metrics/agent-metrics.ts";
import { COMMAND_NAMES, COMMANDS } from "../../../src/command/table.ts";
import { EXIT } from "../../../src/model/app-error.ts";
import { CRASH_EVENTS } from "../../../src/model/crash-record.ts";

const ROOT = join(import.meta.dir, "../../..");
const PAGE = readFileSync(join(ROOT, "docs/operations.md"), "utf8");

/** The rows' first cells of the table under a heading, as the words between back-quotes. */
function namesUnder(heading: string): string[] {
  const section = PAGE.split(`\n### ${heading}\n`)[1]?.split(/\n##/)[0] ?? "";
  const cells = [...section.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell = ""]) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([a-z_]+)/g)].map(([, name = ""]) => name));
}

function eventsIn(folder: string, call: RegExp): string[] {
  const events = new Set<string>();
  for (const path of new Glob(`${folder}/**/*.ts`).scanSync(ROOT)) {
    const source = readFileSync(join(ROOT, path), "utf8");
    for (const [, name = ""] of source.matchAll(call)) events.add(name);
  }
  return [...events];
}

test("every metric is explained, and no other", () => {
  const names = openAgentMetrics().registry.names();
  expect(
    namesUnder("Metrics")
      .map((name) => `core_dump_handler_${name}`)
      .sort(),
  ).toEqual(names.sort());
});

test("every event of the agent is explained, and no other", () => {
  const said = eventsIn("src/{agent,store}", /\blog\.(?:debug|info|warn|error)\(\s*"([a-z_]+)"/g);
  // Chosen between two, and made from the name of a task that is polled.
  const chosen = eventsIn("src/{agent,store}", /log\.info\(\w+ \? "([a-z_]+)"/g);
  const otherwise = eventsIn("src/{agent,store}", /log\.info\(\w+ \? "[a-z_]+" : "([a-z_]+)"/g);
  const polled = eventsIn("src/{agent,store}", /pollUntil\(\s*signal,\s*\w+,\s*"([a-z_]+)"/g);
  // Agent and listener share how they are told to stop.
  const shared = eventsIn("src/host", /\blog\.info\(\s*"([a-z_]+)"/g);
  const events = [
    ...said,
    ...shared,
    ...chosen,
    ...otherwise,
    ...polled.map((what) => `${what}_failed`),
  ];
  expect(namesUnder("Log events of the agent").sort()).toEqual([...new Set(events)].sort());
});

test("every event of the listener is explained, and no other", () => {
  const said = eventsIn("src/listener", /\blog\.(?:debug|info|warn|error)\(\s*"([a-z_]+)"/g);
  const shared = eventsIn("src/host", /\blog\.info\(\s*"([a-z_]+)"/g);
  expect(namesUnder("Log events of the listener").sort()).toEqual([...said, ...shared].sort());
});

test("every event of the composer is explained, and no other", () => {
  expect(namesUnder("Log events of the composer").sort()).toEqual(Object.keys(CRASH_EVENTS).sort());
});

test("every exit code is explained", () => {
  const table = PAGE.split("| code |")[1]?.split("\n\n")[0] ?? "";
  const codes = [...table.matchAll(/^\| (\d+) /gm)].map(([, code]) => Number(code));
  expect(codes).toEqual(Object.values(EXIT).sort((a, b) => a - b));
});

test("every command for a host is explained, and no other", () => {
  const table = PAGE.split("| command ")[1]?.split("\n\n")[0] ?? "";
  const named = [...table.matchAll(/^\| `([a-z][a-z-]*)/gm)].map(([, name = ""]) => name);
  expect([...new Set(named)].sort()).toEqual(
    COMMAND_NAMES.filter((name) => COMMANDS[name].group !== "dumps").sort(),
  );
});

test("every command on dumps is explained", () => {
  const reading = readFileSync(join(ROOT, "docs/reading-dumps.md"), "utf8");
  const named = [...reading.matchAll(/^core-dump-handler ([a-z-]+)/gm)].map(
    ([, name = ""]) => name,
  );
  expect([...new Set(named)].sort()).toEqual(
    COMMAND_NAMES.filter((name) => COMMANDS[name].group === "dumps").sort(),
  );
});

test("every check of the doctor is explained, in its order, and no other", () => {
  const table = PAGE.split("| check ")[1]?.split("\n\n")[0] ?? "";
  const named = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name = ""]) => name);
  expect(named).toEqual(CHECKS.map(({ name }) => name));
});
