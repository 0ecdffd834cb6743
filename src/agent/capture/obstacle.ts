// Finds out, before anything is changed, why a capture mode cannot work on this host.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { seesHostProcesses } from "../../host/host-namespace.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { readReach } from "../harvest/reach.ts";
import { readCoreModes } from "../../host/core-modes.ts";

const FALLBACK = "in a pod, daemonset.captureFallback=true gives it what that takes";
const ASK_MS = 15_000;

type Settings = Pick<AgentSettings, "PROC_ROOT" | "POD_NAME" | "CRIO_ENDPOINT">;

/** Returns the obstacle as one sentence, or undefined. install/host-directory.ts checks HOST_DIR for a pipe. */
export async function findObstacle(
  mode: CaptureMode,
  settings: Settings,
  seesHost: () => boolean = seesHostProcesses,
): Promise<string | undefined> {
  switch (mode) {
    case "pipe":
      return undefined;
    case "socket":
      return socketObstacle(settings, seesHost);
    case "file":
      return fileObstacle(settings);
  }
}

async function socketObstacle(
  { PROC_ROOT }: Settings,
  seesHost: () => boolean,
): Promise<string | undefined> {
  if (!(await readCoreModes(PROC_ROOT)).includes("socket"))
    return "this kernel has no coredump socket (Linux 6.16): core_modes does not list it";
  // The composer identifies the crashed process by its pid on the host.
  return seesHost() ? undefined : `the host's processes are not to be seen from here: ${FALLBACK}`;
}

/**
 * Returns the obstacle to file capture. A plain host can always collect its own processes' cores; a pod needs
 * containers.
 */
async function fileObstacle(settings: Settings): Promise<string | undefined> {
  if (settings.POD_NAME === "") return undefined;
  const reach = await readReach(settings, AbortSignal.timeout(ASK_MS));
  const { seen, unseen, noRuntime, lacking } = reach;
  if (lacking.length > 0) return `the agent has no ${lacking.join(", ")}: ${FALLBACK}`;
  if (noRuntime !== undefined) return `${noRuntime}; ${FALLBACK}`;
  if (seen > 0) return undefined;
  return `the files of no container are to be seen from here (${unseen[0] ?? "there is none"}): ${FALLBACK}`;
}
