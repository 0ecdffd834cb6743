// Finds the program that took cores on this host before the install, and passes it to the composer where
// PREVIOUS_HANDLER=chain.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { readBackup } from "../../host/original-pattern.ts";
import type { Log } from "../../host/log.ts";
import { handlerName, isPipePattern } from "../../model/core-handler.ts";
import { isOurPattern } from "../../model/core-pattern.ts";
import { CORE_PATTERN } from "../../model/sysctls.ts";

/** Returns the core_pattern that a removal will restore: the first install's backup, else the present one. */
export async function findPreviousPattern(
  hostDir: string,
  present: string,
): Promise<string | undefined> {
  const backup = await readBackup(hostDir, CORE_PATTERN);
  return backup ?? (isOurPattern(present, hostDir) ? undefined : present);
}

/** Returns the settings with the previous handler for the composer, and logs its name. */
export function withPreviousHandler(
  settings: AgentSettings,
  previous: string | undefined,
  log: Log,
): AgentSettings {
  if (previous === undefined || !isPipePattern(previous)) {
    if (settings.PREVIOUS_HANDLER === "chain")
      log.warn("previous_handler", {
        pattern: previous ?? "",
        chained: false,
        because: "it starts no program",
      });
    return settings;
  }
  const chained = settings.PREVIOUS_HANDLER === "chain";
  log.info("previous_handler", { name: handlerName(previous), pattern: previous, chained });
  if (!chained) return settings;
  return { ...settings, composer: { ...settings.composer, PREVIOUS_HANDLER: previous } };
}
