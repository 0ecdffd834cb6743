// Runs the checks in order, each under a deadline, and passes every finding on at once.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { within } from "../../host/timer.ts";
import { failed, failedBy, type Check, type CheckResult } from "./check.ts";
import type { Finding } from "./report.ts";

/**
 * A check's deadline in ms, so that one that hangs (a dead NFS mount) does not block the doctor. The canary's own
 * limits are shorter.
 */
const CHECK_MS = 45_000;

/** Runs the checks and returns all findings. Never rejects for a check's failure. */
export async function examine(
  checks: readonly Check[],
  settings: AgentSettings,
  signal: AbortSignal,
  onFinding: (finding: Finding) => void = () => undefined,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const earlier = new Map<string, CheckResult>();
  for (const { name, run } of checks) {
    if (signal.aborted) break;
    const startedMs = performance.now();
    const verdict = await judge(run({ settings, signal, earlier }));
    earlier.set(name, verdict);
    const finding = { name, ...verdict, tookMs: performance.now() - startedMs };
    findings.push(finding);
    onFinding(finding);
  }
  return findings;
}

async function judge(verdict: Promise<CheckResult>): Promise<CheckResult> {
  try {
    return await within(verdict, CHECK_MS, () =>
      failed(`no answer within ${CHECK_MS / 1000} s`, "a filesystem or a service hangs"),
    );
  } catch (error) {
    return failedBy(error, "report this");
  }
}
