// Checks HOST_DIR: a real directory that root owns, on a filesystem of the host that is writable and, where the kernel
// starts a program there, allows execution.
import { lstat } from "node:fs/promises";
import { readMount } from "../../host/mounts.ts";
import { errnoOf } from "../../model/app-error.ts";
import { OTHER_WAYS } from "./check-capture.ts";
import { failed, ok, warning, type CheckContext, type CheckResult } from "./check.ts";
import { readInstalledCapture } from "./installed-capture.ts";

const ELSEWHERE =
  "set HOST_DIR to a folder on a filesystem of the host that is writable and allows execution";

/** Checks HOST_DIR. */
export async function checkHostDir({ settings }: CheckContext): Promise<CheckResult> {
  const { HOST_DIR } = settings;
  const mount = await readMount(HOST_DIR);
  const where =
    mount === undefined ? "an unknown filesystem" : `${mount.mountPoint} (${mount.fsType})`;
  const { mode } = await readInstalledCapture(settings);
  for (const option of mode === "pipe" ? ["noexec", "ro"] : ["ro"])
    if (mount?.options.includes(option) === true)
      return failed(
        `HOST_DIR ${HOST_DIR} is on ${where}, which is mounted ${option}`,
        option === "noexec" ? `${ELSEWHERE}; or ${OTHER_WAYS}` : ELSEWHERE,
        `/proc/self/mountinfo: ${mount.mountPoint} ${mount.options.join(",")}`,
      );
  const problem = await ownershipProblem(HOST_DIR);
  if (problem !== undefined) return problem;
  if (mount?.fsType === "overlay" && settings.POD_NAME !== "")
    return failed(
      `HOST_DIR ${HOST_DIR} is on the container's own filesystem: the kernel cannot see it`,
      "mount a hostPath volume there, at the same path as on the host",
    );
  if (mount?.fsType === "tmpfs")
    return warning(`HOST_DIR is on ${where}: it is empty after a reboot`, ELSEWHERE);
  return ok(`on ${where}`);
}

async function ownershipProblem(hostDir: string): Promise<CheckResult | undefined> {
  const found = await lstat(hostDir).catch((error: unknown) => errnoOf(error) ?? "unreadable");
  if (typeof found === "string")
    return failed(
      `HOST_DIR ${hostDir} cannot be looked at (${found})`,
      found === "ENOENT"
        ? "nothing is installed here: run core-dump-handler install, or start the agent"
        : ELSEWHERE,
    );
  if (!found.isDirectory())
    return failed(
      `HOST_DIR ${hostDir} is no directory`,
      "remove what stands there, or choose another path",
    );
  if (found.uid !== 0 || (found.mode & 0o022) !== 0)
    return failed(
      `others than root may write to HOST_DIR ${hostDir} (owner ${found.uid}, mode ${(found.mode & 0o7777).toString(8)})`,
      "chown root and chmod go-w: whoever can write there chooses what the kernel runs as root",
    );
  return undefined;
}
