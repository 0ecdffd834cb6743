// `core-dump-handler doctor`: progress on stderr, the findings on stdout, the exit code.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { EXIT } from "../../model/app-error.ts";
import { CHECKS } from "./checks.ts";
import { examine } from "./examine.ts";
import { formatReportJson, formatProgress, formatTable, hasFailed, styleFor } from "./report.ts";

/** How the command runs. */
export interface DoctorCommand {
  settings: AgentSettings;
  json: boolean;
  /** The value of NO_COLOR. */
  noColor: string | undefined;
  signal: AbortSignal;
}

/** Runs the doctor. Returns 0 where no check failed (warnings are allowed), else 1. */
export async function runDoctor({
  settings,
  json,
  noColor,
  signal,
}: DoctorCommand): Promise<number> {
  let done = 0;
  const findings = await examine(CHECKS, settings, signal, (finding) => {
    done++;
    process.stderr.write(formatProgress(finding, done, CHECKS.length));
  });
  const style = styleFor(process.stdout.isTTY, noColor);
  process.stdout.write(json ? formatReportJson(findings) : `\n${formatTable(findings, style)}`);
  return hasFailed(findings) || signal.aborted ? EXIT.failed : EXIT.done;
}
