// Restores the previous core_pattern while no listener answers, so that the previous handler gets the cores.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { readOriginalPattern } from "../../host/original-pattern.ts";
import { readSysctl, writeSysctl } from "../../host/sysctl.ts";
import { isOurPattern } from "../../model/core-pattern.ts";
import { CORE_PATTERN } from "../../model/sysctls.ts";

type Places = Pick<AgentSettings, "HOST_DIR" | "PROC_ROOT">;

/** Restores the pattern, unless it is another program's, and returns the present one. Throws AppError "sysctl". */
export async function withdrawPattern({ HOST_DIR, PROC_ROOT }: Places): Promise<string> {
  const present = await readSysctl(PROC_ROOT, CORE_PATTERN);
  if (!isOurPattern(present, HOST_DIR)) return present;
  const original = await readOriginalPattern(HOST_DIR);
  await writeSysctl(PROC_ROOT, CORE_PATTERN, original);
  return original;
}
