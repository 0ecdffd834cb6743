// Settings that depend on the host: on a machine without a container runtime the composer asks none about pods.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { exists } from "../../host/files.ts";
import { candidateSockets } from "../../model/runtime-socket.ts";
import type { ProcessEnvironment } from "../../host/process-environment.ts";

/**
 * Returns the settings, with IGNORE_CRIO where the host has no runtime. In a pod there is a runtime even if its socket
 * cannot be seen. A value that the owner set stays.
 */
export async function adaptToHost(
  settings: AgentSettings,
  environment: ProcessEnvironment,
): Promise<AgentSettings> {
  const isSet = (environment["COMP_IGNORE_CRIO"]?.trim() ?? "") !== "";
  if (isSet || settings.POD_NAME !== "" || (await hasRuntime(settings.CRIO_ENDPOINT)))
    return settings;
  return { ...settings, composer: { ...settings.composer, IGNORE_CRIO: true } };
}

async function hasRuntime(endpoint: string): Promise<boolean> {
  try {
    for (const path of candidateSockets(endpoint)) if (await exists(path)) return true;
    return false;
  } catch {
    return true; // the doctor explains an endpoint that cannot be read
  }
}
