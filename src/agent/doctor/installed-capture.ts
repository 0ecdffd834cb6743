// How cores come on this host, as the last install left it: what the checks compare with.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { openLog } from "../../host/log.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { captureModeOf } from "../../model/core-pattern.ts";
import { CORE_PATTERN } from "../../model/sysctls.ts";
import { readInstallRecord, type CaptureNote } from "../install/install-record.ts";
import { planPattern } from "../install/install-sysctls.ts";

export interface InstalledCapture {
  mode: CaptureMode;
  /** What core_pattern should be. */
  pattern: string;
  /** Why this mode; undefined where no agent of this version has chosen. */
  note: CaptureNote | undefined;
}

const SILENT = openLog({ level: "Error", format: "text", write: () => {} });

/** Where nothing is installed: what the settings ask for, or a pipe. */
export async function readInstalledCapture(settings: AgentSettings): Promise<InstalledCapture> {
  const record = await readInstallRecord(settings.HOST_DIR, SILENT);
  const pattern = record?.sysctls[CORE_PATTERN.name];
  const installed = captureModeOf(pattern ?? "", settings.HOST_DIR);
  if (pattern !== undefined && installed !== undefined)
    return { mode: installed, pattern, note: record?.capture };
  const mode = settings.CAPTURE_MODE === "auto" ? "pipe" : settings.CAPTURE_MODE;
  return { mode, pattern: planPattern(mode, settings).value, note: undefined };
}
