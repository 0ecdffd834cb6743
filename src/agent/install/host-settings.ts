// What the settings leave open and the host decides: on a machine without any container runtime nobody is asked
// about pods.
import type { AgentSettings } from "../../config/agent-settings.ts";
import { exists } from "../../host/files.ts";
import { candidateSockets } from "../../model/runtime-socket.ts";
import type { Environment } from "../../host/environment.ts";

/** In a pod there is a runtime, whether its socket is to be seen or not. What was set stays as it is. */
export async function adaptToHost(
  settings: AgentSettings,
  environment: Environment,
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
    return true; // an endpoint that cannot be read is the doctor's to explain, not ours to pass over
  }
}
