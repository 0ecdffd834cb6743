// Why a way of taking cores is out of the question on this host: found out before anything is changed.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { seesHostProcesses } from "../../host/host-namespace.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { readCoreModes } from "./core-modes.ts";

const NO_HOST_PID =
  "the host's processes are not to be seen from here: in a pod, daemonset.captureFallback=true gives it what that takes";

/** One sentence, or undefined. What HOST_DIR must be for a pipe is host-directory.ts's. */
export async function findObstacle(
  mode: CaptureMode,
  { PROC_ROOT }: Pick<AgentSettings, "PROC_ROOT">,
  seesHost: () => boolean = seesHostProcesses,
): Promise<string | undefined> {
  if (mode === "pipe") return undefined;
  if (mode === "socket" && !(await readCoreModes(PROC_ROOT)).includes("socket"))
    return "this kernel has no coredump socket (Linux 6.16): core_modes does not list it";
  return seesHost() ? undefined : NO_HOST_PID;
}
