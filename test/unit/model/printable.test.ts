// Whatever a crashing process, a pod's label or a zip calls itself: nothing of it reaches a terminal or a log as more
// than visible characters on its own line. One text of everything that could, through every output that there is.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { planKubernetesEvent } from "../../../src/agent/kubernetes/kubernetes-event.ts";
import { keyValuesOf } from "../../../src/model/key-values.ts";
import { labelsOf } from "../../../src/store/dump-labels.ts";
import { metadataOf } from "../../../src/store/label-text.ts";
import {
  formatReportJson as formatDoctorJson,
  formatTable,
  styleFor,
} from "../../../src/agent/doctor/report.ts";
import { MetricRegistry } from "../../../src/agent/metrics/metric-registry.ts";
import { formatInfo } from "../../../src/reading/info.ts";
import { formatBugGroups, groupByBug } from "../../../src/reading/bug-groups.ts";
import { formatList } from "../../../src/reading/list-table.ts";
import { writeEvent } from "../../../src/composer/event.ts";
import { firstFacts } from "../../../src/composer/dump-facts.ts";
import { ComposerLog } from "../../../src/host/composer-log.ts";
import { openLog } from "../../../src/host/log.ts";
import { describeError } from "../../../src/model/app-error.ts";
import { formatDumpInfo } from "../../../src/model/dump-info.ts";
import { formatJson } from "../../../src/model/json.ts";
import { manyLines, oneLine, printableJson } from "../../../src/model/printable.ts";
import { temporaryFolder } from "../../support/dumps.ts";
import { sampleCrash } from "../../support/sample-crash.ts";

/** CSI by ESC and by C1, a bell, line ends of every kind, overrides, isolates, marks, zero width, BOM, a tag, half a pair. */
const HOSTILE =
  "x\u001b[31m\u009b2J\u0007\r\n\u0085\u2028\u2029\u202e\u2066\u061c\u200e\u200b\ufeff\u00ad\u{e0041}\ud800\u007f\u0000y";
const UNSAFE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const folder = temporaryFolder();

function composerLine(): string {
  new ComposerLog(folder, "u", "info").milestone("info", "dump_failed", { error: HOSTILE });
  return readFileSync(join(folder, "composer.log"), "utf8");
}

function logLine(format: "text" | "json"): string {
  let written = "";
  const log = openLog({ level: "Info", format, write: (line) => (written += line) });
  log.info("dump_started", { exe: HOSTILE, [HOSTILE]: "key" });
  return written;
}

function metrics(): string {
  const registry = new MetricRegistry();
  registry.counter("dumps", "Dumps.", ["namespace"]).add(1, { namespace: HOSTILE });
  return registry.render();
}

const crash = { ...sampleCrash(), exeName: HOSTILE, hostname: HOSTILE, pathname: HOSTILE };
const info = { ...firstFacts("u", crash, HOSTILE), namespace: HOSTILE, exe_path: `/${HOSTILE}` };
const zip = {
  source: { name: HOSTILE, sizeBytes: 1, read: async () => Buffer.alloc(0), close: async () => {} },
  entries: [
    { name: HOSTILE, method: 0, crc: 0, sizeBytes: 1, packedBytes: 1, offset: 0, limit: 99 },
  ],
};
const listed = {
  key: HOSTILE,
  zip_bytes: 1,
  time: "2023-11-14T22:13:20.000Z",
  written: "2026-11-22T10:00:00.000Z",
  real_pid: HOSTILE,
  state: "whole" as const,
  namespace: HOSTILE,
  podname: HOSTILE,
  container_name: HOSTILE,
  exe: HOSTILE,
  signal_name: HOSTILE,
  core_bytes: 1,
  core_complete: true,
  title: HOSTILE,
  bug: HOSTILE,
};
const finding = {
  name: "store",
  status: "failed" as const,
  found: HOSTILE,
  evidence: HOSTILE,
  remedy: HOSTILE,
  tookMs: 1,
};
const facts = {
  ...info,
  namespace: "shop",
  podname: "cart-0",
  container_name: HOSTILE,
  pod_uid: HOSTILE,
};
const event = { imageList: [HOSTILE], labels: { [HOSTILE]: HOSTILE } };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function eventFile(): Promise<string> {
  await writeEvent(folder, {
    uuid: "u",
    zipName: "T.zip",
    crash,
    namespace: HOSTILE,
    facts: event,
    why: { title: HOSTILE, crash_function: HOSTILE, bug: HOSTILE, exact: HOSTILE },
  });
  return readFileSync(join(folder, "u-event.json"), "utf8");
}

/** How many lines each has, whatever the hostile text holds; undefined where that is not its own to say. */
const OUTPUTS: readonly [name: string, output: () => string | Promise<string>, lines?: number][] = [
  ["composer.log", composerLine],
  ["the agent's log as text", () => logLine("text"), 1],
  ["the agent's log as JSON", () => logLine("json"), 1],
  ["an error", () => describeError(new Error(HOSTILE, { cause: HOSTILE }))],
  ["list", () => formatList([listed]), 2],
  ["list --by bug", () => formatBugGroups(groupByBug([listed])), 2],
  ["list --json", () => printableJson([listed], 2)],
  ["info", () => formatInfo(zip, info)],
  ["info --json", () => printableJson({ ...info, [HOSTILE]: HOSTILE }, 2)],
  ["doctor", () => formatTable([finding], styleFor(false, undefined))],
  ["doctor --json", () => formatDoctorJson([finding])],
  ["metrics", metrics, 3],
  ["dump-info", () => text(formatDumpInfo(info, 16 * 1024))],
  ["pod-info and its like", () => text(formatJson({ [HOSTILE]: [HOSTILE] }))],
  ["the event file", eventFile],
  [
    "the Kubernetes Event, as kubectl shows it",
    () => shown(planKubernetesEvent(facts, HOSTILE, new Date(0))),
  ],
  [
    "S3 metadata",
    () =>
      shown(
        metadataOf(
          labelsOf(info, keyValuesOf(info, { zipPath: "/T.zip", cluster: HOSTILE, nowMs: 0 }), ""),
        ),
      ),
  ],
];

/** Every text of a value, unescaped. */
function shown(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null
    ? Object.values(value).map(shown).join("\n")
    : "";
}

for (const [name, output, lines] of OUTPUTS)
  test(`nothing of a hostile name acts in ${name}`, async () => {
    const written = await output();
    expect(written.length).toBeGreaterThan(0);
    expect(written).not.toMatch(UNSAFE);
    if (lines !== undefined) expect(written.trimEnd().split("\n")).toHaveLength(lines);
  });

test("text stays readable, and JSON the same document", () => {
  expect(oneLine("a\nb\u001b[2J\u009b\u{e0041}é日本🙂")).toBe(
    "a\\u000ab\\u001b[2J\\u009b\\udb40\\udc41é日本🙂",
  );
  expect(JSON.parse(printableJson({ [HOSTILE]: HOSTILE }, 2))).toEqual({ [HOSTILE]: HOSTILE });
  expect(printableJson({ a: [1] }, 2)).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(printableJson(undefined)).toBe("null");
});

test("a log that is shown keeps its lines and tabs, and nothing else that acts", () => {
  expect(manyLines("a\tb\nc\u001b[2Jd\r\n")).toBe("a\tb\nc\\u001b[2Jd\\u000d\n");
});
