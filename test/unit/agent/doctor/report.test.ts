// How findings are shown: for people and for programs.
import { expect, test } from "bun:test";
import {
  formatReportJson,
  formatProgress,
  formatTable,
  hasFailed,
  styleFor,
  type Finding,
} from "../../../../src/agent/doctor/report.ts";

const FINDINGS: Finding[] = [
  { name: "root", status: "ok", found: "root on the host", tookMs: 1 },
  {
    name: "core_pattern",
    status: "failed",
    found: "it belongs to apport",
    evidence: "kernel.core_pattern = |/x",
    remedy: "start the agent",
    tookMs: 12.4,
  },
];
const PLAIN = styleFor(false, undefined);

test("the table names each check, and for a failure its evidence and remedy", () => {
  const lines = formatTable(FINDINGS, PLAIN).split("\n");
  expect(lines[0]).toBe("root          ok        root on the host");
  expect(lines[1]).toBe("core_pattern  FAILED    it belongs to apport");
  expect(lines[2]?.trim()).toBe("evidence: kernel.core_pattern = |/x");
  expect(lines[3]?.trim()).toBe("remedy: start the agent");
  expect(lines.at(-2)).toBe("1 of 2 checks failed: core_pattern.");
});

test("where nothing failed the last line says so", () => {
  expect(formatTable(FINDINGS.slice(0, 1), PLAIN)).toEndWith(
    "A crash on this host reaches its zip.\n",
  );
});

test("a terminal gets colours, unless NO_COLOR is set; a pipe never does", () => {
  const escape = "\u001b[31m";
  expect(formatTable(FINDINGS, styleFor(true, undefined))).toContain(escape);
  expect(formatTable(FINDINGS, styleFor(true, ""))).toContain(escape);
  expect(formatTable(FINDINGS, styleFor(true, "1"))).not.toContain("\u001b");
  expect(formatTable(FINDINGS, PLAIN)).not.toContain("\u001b");
});

test("JSON holds the same, with nulls for what there is not", () => {
  expect(JSON.parse(formatReportJson(FINDINGS))).toEqual({
    ok: false,
    checks: [
      {
        name: "root",
        status: "ok",
        found: "root on the host",
        evidence: null,
        remedy: null,
        took_ms: 1,
      },
      {
        name: "core_pattern",
        status: "failed",
        found: "it belongs to apport",
        evidence: "kernel.core_pattern = |/x",
        remedy: "start the agent",
        took_ms: 12,
      },
    ],
  });
});

test("a step is told as it ends, and only a failure counts as one", () => {
  const [ok] = FINDINGS;
  if (ok === undefined) throw new Error("no finding");
  expect(formatProgress(ok, 1, 11)).toBe("[ 1/11] root: ok (0.0 s)\n");
  expect(hasFailed([ok, { ...ok, status: "warning" }, { ...ok, status: "skipped" }])).toBe(false);
  expect(hasFailed(FINDINGS)).toBe(true);
});
