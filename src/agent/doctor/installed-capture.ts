// The capture mode of the last install, with which the checks compare.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { openLog } from "../../host/log.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { captureModeOf } from "../../model/core-pattern.ts";
import { CORE_PATTERN } from "../../model/sysctls.ts";
import { readInstallRecord, type CaptureNote } from "../install/install-record.ts";
import { planPattern } from "../install/install-sysctls.ts";

/** What should be on the host. */
export interface InstalledCapture {
  mode: CaptureMode;
  /** The value that core_pattern should have. */
  pattern: string;
  /** Why this mode was chosen; undefined where no agent of this version has chosen one. */
  note: CaptureNote | undefined;
}

const SILENT = openLog({ level: "Error", format: "text", write: () => {} });

/** Reads the install's record. Without one, returns the mode in the settings, or a pipe. */
export async function readInstalledCapture(settings: AgentSettings): Promise<InstalledCapture> {
  const record = await readInstallRecord(settings.HOST_DIR, SILENT);
  const pattern = record?.sysctls[CORE_PATTERN.name];
  const installed = captureModeOf(pattern ?? "", settings.HOST_DIR);
  if (pattern !== undefined && installed !== undefined)
    return { mode: installed, pattern, note: record?.capture };
  const mode = settings.CAPTURE_MODE === "auto" ? "pipe" : settings.CAPTURE_MODE;
  return { mode, pattern: planPattern(mode, settings).value, note: undefined };
}
