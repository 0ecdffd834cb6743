// `core-dump-handler doctor`: progress on stderr, the findings on stdout, the exit code.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { EXIT } from "../../model/app-error.ts";
import { CHECKS } from "./checks.ts";
import { examine } from "./examine.ts";
import { formatJson, formatProgress, formatTable, hasFailed, styleFor } from "./report.ts";

export interface DoctorCommand {
  settings: AgentSettings;
  json: boolean;
  /** NO_COLOR as it is set. */
  noColor: string | undefined;
  signal: AbortSignal;
}

/** 0 where nothing failed (warnings may stand), else 1. */
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
  process.stdout.write(json ? formatJson(findings) : `\n${formatTable(findings, style)}`);
  return hasFailed(findings) || signal.aborted ? EXIT.failed : EXIT.done;
}
