// The plain host's part of `core-dump-handler remove`: the units and the program. Stops the agent first, so that it
// does not write the kernel's settings again, and removes the files last, after everything that needs them.
import { join } from "node:path";
import { removeEmptyDirectory } from "../../host/directories.ts";
import { exists, removeFile } from "../../host/files.ts";
import type { Log } from "../../host/log.ts";
import { removeCommandLink } from "./command-link.ts";
import { PROGRAM_NAME, type ServicePlaces } from "./places.ts";
import type { Systemd } from "./systemd.ts";
import { AGENT_UNIT, EARLY_UNIT } from "./units.ts";

const UNITS = [AGENT_UNIT, EARLY_UNIT];

/** Returns whether `install` was run on this host. */
export async function isVmInstalled({
  programDir,
  unitDir,
}: Pick<ServicePlaces, "programDir" | "unitDir">): Promise<boolean> {
  if (await exists(join(unitDir, AGENT_UNIT))) return true;
  return exists(join(programDir, PROGRAM_NAME));
}

/** Stops the units. The caller calls it before it restores the kernel's settings. */
export async function stopOnVm(systemd: Systemd | undefined): Promise<void> {
  await systemd?.disableNow(UNITS);
}

/** Removes units and program. The caller calls it last; the running executable may delete itself. */
export async function removeFromVm(
  { programDir, unitDir, commandDir }: ServicePlaces,
  systemd: Systemd | undefined,
  log: Log,
): Promise<void> {
  const link = await removeCommandLink({ programDir, commandDir });
  if (link !== undefined) log.info("file_removed", { name: link });
  for (const path of [
    ...UNITS.map((name) => join(unitDir, name)),
    ...[".env", PROGRAM_NAME].map((name) => join(programDir, name)),
  ])
    if (await removeFile(path)) log.info("file_removed", { name: path });
  await removeEmptyDirectory(programDir);
  await systemd?.reload();
}
