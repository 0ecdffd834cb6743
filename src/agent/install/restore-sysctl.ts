// Restores one kernel setting, unless it no longer has the value that the install wrote.
import type { Log } from "../../host/log.ts";
import { writeSysctl } from "../../host/sysctl.ts";
import type { Sysctl } from "../../model/sysctls.ts";

/** What to restore. */
export interface Restoration {
  sysctl: Sysctl;
  found: string;
  original: string;
  /** True where `found` is the value that the install wrote. */
  isOurs: boolean;
}

/** Restores the setting and logs it. Throws AppError "sysctl". */
export async function restoreSysctl(
  procRoot: string,
  { sysctl, found, original, isOurs }: Restoration,
  log: Log,
): Promise<void> {
  if (original === found) return;
  if (!isOurs) return log.warn("sysctl_left", { name: sysctl.name, value: found, original });
  await writeSysctl(procRoot, sysctl, original);
  log.info("sysctl_restored", { name: sysctl.name, value: original });
}
