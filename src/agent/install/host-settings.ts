// Settings that depend on the host: on a machine without a container runtime the composer asks none about pods, and
// outside of a pod the agent's port is this machine's own.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { exists } from "../../host/files.ts";
import { candidateSockets } from "../../model/runtime-socket.ts";
import type { ProcessEnvironment } from "../../host/process-environment.ts";

/** The address of the agent's port on a plain host, where the owner sets none: nobody asked for more. */
const OWN_ADDRESS = "127.0.0.1";

/**
 * Returns the settings, with IGNORE_CRIO where the host has no runtime, and with the loopback address for the port. In a
 * pod there is a runtime even if its socket cannot be seen. A value that the owner set stays.
 */
export async function adaptToHost(
  settings: AgentSettings,
  environment: ProcessEnvironment,
): Promise<AgentSettings> {
  if (settings.POD_NAME !== "") return settings;
  const HTTP_ADDRESS = settings.HTTP_ADDRESS || OWN_ADDRESS;
  const isSet = (environment["COMP_IGNORE_CRIO"]?.trim() ?? "") !== "";
  if (isSet || (await hasRuntime(settings.CRIO_ENDPOINT))) return { ...settings, HTTP_ADDRESS };
  return { ...settings, HTTP_ADDRESS, composer: { ...settings.composer, IGNORE_CRIO: true } };
}

async function hasRuntime(endpoint: string): Promise<boolean> {
  try {
    for (const path of candidateSockets(endpoint)) if (await exists(path)) return true;
    return false;
  } catch {
    return true; // the doctor explains an endpoint that cannot be read
  }
}
