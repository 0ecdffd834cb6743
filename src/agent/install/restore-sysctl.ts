// One kernel setting given back: as it was, unless it is no longer what we wrote.
import type { Log } from "../../host/log.ts";
import { writeSysctl } from "../../host/sysctl.ts";
import type { Sysctl } from "../../model/sysctls.ts";

export interface Restoration {
  sysctl: Sysctl;
  found: string;
  original: string;
  /** Whether `found` is what we wrote. */
  isOurs: boolean;
}

/** Throws AppError "sysctl". */
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
