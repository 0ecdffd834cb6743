// Whether the mapped files of a crash are kept: where the owner wants it.
import type { Attempts } from "../attempt.ts";
import type { Environment } from "../environment.ts";
import { ModuleKeeping } from "./module-keeping.ts";

/** Opens the keeping of one crash's modules; undefined with COMP_MODULES=off. */
export function openModuleKeeping(
  { settings, coreDir, hostDir }: Pick<Environment, "settings" | "coreDir" | "hostDir">,
  uuid: string,
  attempts: Attempts,
): ModuleKeeping | undefined {
  if (settings.MODULES === "off") return undefined;
  return new ModuleKeeping({
    order: {
      coreDir,
      hostDir,
      uuid,
      quota: settings.DISK_QUOTA,
      free: settings.DISK_FREE,
      reserveBytes: settings.DISK_RESERVE,
      maxBytes: settings.MODULE_MAX_SIZE,
    },
    takesLibraries: settings.MODULES === "all",
    timeoutMs: settings.EXPLAIN_TIMEOUT * 1000,
    attempts,
    command: [process.execPath, "keep-modules"],
  });
}
