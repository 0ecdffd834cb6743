// HOST_DIR must be able to hold a program that the kernel starts: said before anything is written.
import { AppError } from "../model/app-error.ts";
import { readMount } from "../host/mounts.ts";

/** Throws AppError "host" where HOST_DIR's filesystem is mounted noexec or read-only. */
export async function checkHostDirectory(hostDir: string): Promise<void> {
  const mount = await readMount(hostDir);
  const hint =
    "set HOST_DIR to a folder on a filesystem of the host that is writable and allows execution";
  for (const option of ["noexec", "ro"]) {
    if (mount?.options.includes(option) === true)
      throw new AppError(
        "host",
        `HOST_DIR ${hostDir} is on ${mount.mountPoint}, which is mounted ${option}`,
        { hint },
      );
  }
}
