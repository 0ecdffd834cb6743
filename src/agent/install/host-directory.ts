// Checks, before anything is written, that HOST_DIR can hold an install.
import { AppError } from "../../model/app-error.ts";
import { readMount } from "../../host/mounts.ts";

/**
 * Throws AppError "host" where HOST_DIR's filesystem is mounted read-only, or noexec although the kernel must start a
 * program there.
 */
export async function checkHostDirectory(hostDir: string, holdsProgram: boolean): Promise<void> {
  const mount = await readMount(hostDir);
  const hint = `set HOST_DIR to a folder on a filesystem of the host that is writable${holdsProgram ? " and allows execution" : ""}`;
  for (const option of holdsProgram ? ["noexec", "ro"] : ["ro"]) {
    if (mount?.options.includes(option) === true)
      throw new AppError(
        "host",
        `HOST_DIR ${hostDir} is on ${mount.mountPoint}, which is mounted ${option}`,
        { hint },
      );
  }
}
