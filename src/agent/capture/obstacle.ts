// Why a way of taking cores is out of the question on this host: found out before anything is changed.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { seesHostProcesses } from "../../host/host-namespace.ts";
import type { CaptureMode } from "../../model/capture-mode.ts";
import { readReach } from "../harvest/reach.ts";
import { readCoreModes } from "../../host/core-modes.ts";

const FALLBACK = "in a pod, daemonset.captureFallback=true gives it what that takes";
const ASK_MS = 15_000;

type Settings = Pick<AgentSettings, "PROC_ROOT" | "POD_NAME" | "CRIO_ENDPOINT">;

/** One sentence, or undefined. What HOST_DIR must be for a pipe is host-directory.ts's. */
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
  // Who crashed is known by the pid that the host gave it.
  return seesHost() ? undefined : `the host's processes are not to be seen from here: ${FALLBACK}`;
}

/** On a plain host the cores of its own processes can always be had; a pod is there for containers. */
async function fileObstacle(settings: Settings): Promise<string | undefined> {
  if (settings.POD_NAME === "") return undefined;
  const reach = await readReach(settings, AbortSignal.timeout(ASK_MS));
  const { seen, unseen, noRuntime, lacking } = reach;
  if (lacking.length > 0) return `the agent has no ${lacking.join(", ")}: ${FALLBACK}`;
  if (noRuntime !== undefined) return `${noRuntime}; ${FALLBACK}`;
  if (seen > 0) return undefined;
  return `the files of no container are to be seen from here (${unseen[0] ?? "there is none"}): ${FALLBACK}`;
}
