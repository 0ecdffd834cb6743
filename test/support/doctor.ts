// The doctor run within a test, and its findings by the check's name.
import { CHECKS } from "../../src/agent/doctor/checks.ts";
import type { Check, CheckResult } from "../../src/agent/doctor/check.ts";
import { examine } from "../../src/agent/doctor/examine.ts";
import type { Finding } from "../../src/agent/doctor/report.ts";
import { readAgentSettings } from "../../src/config/agent-settings.ts";

export type Findings = Record<string, Finding>;

const never = new AbortController().signal;

/** Every check, or the ones named; `before` runs right before the canary. */
export async function doctorSays(
  environment: Record<string, string>,
  { only, before }: { only?: readonly string[]; before?: () => Promise<void> } = {},
): Promise<Findings> {
  const settings = readAgentSettings(environment);
  const chosen = CHECKS.filter(({ name }) => only === undefined || only.includes(name));
  const findings = await examine(
    chosen.map((check) => hooked(check, before)),
    settings,
    never,
  );
  return Object.fromEntries(findings.map((finding) => [finding.name, finding]));
}

function hooked(check: Check, before: (() => Promise<void>) | undefined): Check {
  if (check.name !== "canary" || before === undefined) return check;
  return {
    name: check.name,
    run: async (context): Promise<CheckResult> => {
      await before();
      return check.run(context);
    },
  };
}

/** The names of the checks that failed. */
export function failuresIn(findings: Findings): string[] {
  return Object.values(findings)
    .filter(({ status }) => status === "failed")
    .map(({ name }) => name);
}
