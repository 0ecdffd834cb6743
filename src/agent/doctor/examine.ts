// Runs the checks in order, each under a deadline, and hands on every finding as it comes.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { failed, failedBy, type Check, type Verdict } from "./check.ts";
import type { Finding } from "./report.ts";

/** The canary's own limits are shorter; a check that hangs (a dead NFS mount) must not hang the doctor. */
const CHECK_MS = 45_000;

export async function examine(
  checks: readonly Check[],
  settings: AgentSettings,
  signal: AbortSignal,
  onFinding: (finding: Finding) => void = () => undefined,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const earlier = new Map<string, Verdict>();
  for (const { name, run } of checks) {
    if (signal.aborted) break;
    const startedMs = performance.now();
    const verdict = await within(CHECK_MS, run({ settings, signal, earlier }));
    earlier.set(name, verdict);
    const finding = { name, ...verdict, tookMs: performance.now() - startedMs };
    findings.push(finding);
    onFinding(finding);
  }
  return findings;
}

async function within(limitMs: number, verdict: Promise<Verdict>): Promise<Verdict> {
  const late = Promise.withResolvers<Verdict>();
  const timer = setTimeout(
    () =>
      late.resolve(
        failed(`no answer within ${limitMs / 1000} s`, "a filesystem or a service hangs"),
      ),
    limitMs,
  );
  try {
    return await Promise.race([verdict, late.promise]);
  } catch (error) {
    return failedBy(error, "report this");
  } finally {
    clearTimeout(timer);
  }
}
