// Writes the doctor's findings: a line for each step while it works, and a table or JSON at the end.
import { oneLine, printableJson } from "../../model/printable.ts";
import type { Status, CheckResult } from "./check.ts";

/** A verdict with its check's name. */
export interface Finding extends CheckResult {
  name: string;
  tookMs: number;
}

/** How a report looks. */
export interface Style {
  /** Wraps text in the colour of a status; returns it unchanged where colours are not wanted. */
  paint: (status: Status, text: string) => string;
}

const WORDS: Record<Status, string> = {
  ok: "ok",
  warning: "WARNING",
  failed: "FAILED",
  skipped: "skipped",
};
/** SGR codes (ECMA-48): green, yellow, red, faint. */
const COLOURS: Record<Status, number> = { ok: 32, warning: 33, failed: 31, skipped: 2 };

/** Returns the style: colours only on a terminal, and not where NO_COLOR is set (no-color.org). */
export function styleFor(isTerminal: boolean, noColor: string | undefined): Style {
  const plain = !isTerminal || (noColor !== undefined && noColor !== "");
  return { paint: (status, text) => (plain ? text : `\u001b[${COLOURS[status]}m${text}\u001b[0m`) };
}

/** Returns whether any check failed. */
export function hasFailed(findings: readonly Finding[]): boolean {
  return findings.some(({ status }) => status === "failed");
}

/** Writes the line for a check that has just ended. */
export function formatProgress(
  { name, status, tookMs }: Finding,
  done: number,
  of: number,
): string {
  return `[${String(done).padStart(2)}/${of}] ${name}: ${WORDS[status]} (${(tookMs / 1000).toFixed(1)} s)\n`;
}

/** Writes every check with its verdict, and evidence and remedy below those that need them. */
export function formatTable(findings: readonly Finding[], { paint }: Style): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, status, found, evidence, remedy }) => {
    const word = paint(status, WORDS[status].padEnd(8));
    const detail = (label: string, text: string | undefined) =>
      text === undefined ? [] : [`${" ".repeat(width + 12)}${label}: ${oneLine(text)}`];
    return [
      `${name.padEnd(width)}  ${word}  ${oneLine(found)}`,
      ...(status === "ok" ? [] : detail("evidence", evidence)),
      ...(status === "ok" ? [] : detail("remedy", remedy)),
    ];
  });
  return `${lines.join("\n")}\n\n${summary(findings)}\n`;
}

/** Writes the findings as JSON. */
export function formatReportJson(findings: readonly Finding[]): string {
  const checks = findings.map(({ name, status, found, evidence, remedy, tookMs }) => ({
    name,
    status,
    found,
    evidence: evidence ?? null,
    remedy: remedy ?? null,
    took_ms: Math.round(tookMs),
  }));
  return `${printableJson({ ok: !hasFailed(findings), checks }, 2)}\n`;
}

function summary(findings: readonly Finding[]): string {
  const failures = findings.filter(({ status }) => status === "failed");
  if (failures.length === 0) return "A crash on this host reaches its zip.";
  return `${failures.length} of ${findings.length} checks failed: ${failures.map(({ name }) => name).join(", ")}.`;
}
