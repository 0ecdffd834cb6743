// The figures of one `bun test` run, from its JUnit report and its own last lines.

export interface Figures {
  passed: number;
  failed: number;
  skipped: number;
}

export const NOTHING: Figures = { passed: 0, failed: 0, skipped: 0 };

export function addFigures(a: Figures, b: Figures): Figures {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

/** `12 passed, 0 failed`, and `, 3 skipped` where there are any. */
export function formatFigures({ passed, failed, skipped }: Figures): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Reads the report. An error outside any test (a module that throws) is in the output only, and a run
 * that did not end well or tested nothing is a failure, whatever the report says: none means that the
 * runner itself died.
 */
export function parseFigures(report: string | undefined, output: string, ok: boolean): Figures {
  const suites = /<testsuites [^>]*>/.exec(report ?? "")?.[0];
  if (suites === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const tests = attribute(suites, "tests");
  const skipped = attribute(suites, "skipped");
  const failures = attribute(suites, "failures");
  const errors = Number(/^ (\d+) errors?$/m.exec(output)?.[1] ?? 0);
  const unexplained = failures + errors === 0 && (!ok || tests === 0) ? 1 : 0;
  return { passed: tests - skipped - failures, failed: failures + errors + unexplained, skipped };
}

/** Why tests were skipped (the text in `[skipped: …]` of their names), with how many of each. */
export function parseSkipReasons(report: string): Map<string, number> {
  const reasons = new Map<string, number>();
  for (const [, name = ""] of report.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped/g)) {
    const reason = unescapeXml(/\[skipped: (.*)\]$/.exec(name)?.[1] ?? "no reason given");
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return reasons;
}

/** The tests that took longest, as `12.3 s name`, the slowest first. */
export function slowestTests(report: string, count: number): string[] {
  const cases = [...report.matchAll(/<testcase name="([^"]*)"[^>]* time="([\d.]+)"/g)].map(
    ([, name = "", seconds]) => ({ name: unescapeXml(name), seconds: Number(seconds) }),
  );
  return cases
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, count)
    .map(({ name, seconds }) => `${seconds.toFixed(1)} s ${name}`);
}

function attribute(element: string, name: string): number {
  return Number(new RegExp(` ${name}="(\\d+)"`).exec(element)?.[1] ?? Number.NaN);
}

function unescapeXml(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (whole, name: string) => entities[name] ?? whole);
}
