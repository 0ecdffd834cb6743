// What IBM's agent left in HOST_DIR: its removal stops before crictl and crictl.yaml. The first install of ours takes them
// into its record, so that our removal ends what theirs did not. Where HOST_DIR is a folder of the node's own, as on GKE,
// the same names may be the node's: only what is certainly IBM's counts.
import { join } from "node:path";
import type { AgentSettings } from "../../config/agent-settings.ts";
import { exists, readTextFile } from "../../host/files.ts";
import { COMPOSER_NAME } from "../../model/core-pattern.ts";

const CONFIG = "crictl.yaml";
const PROGRAM = "crictl";
/** As IBM's agent writes it, whatever the endpoint. */
const CONFIG_TEXT =
  /^runtime-endpoint: (\S+)\nimage-endpoint: \1\ntimeout: 2\ndebug: false\npull-image-on-create: false\n?$/;
/** What its agent or composer leaves behind wherever it was. */
const TRACES = [COMPOSER_NAME, ".env", "composer.log", "core_pattern.bak"];

/** Returns the names in HOST_DIR that are IBM's. The caller has found no record of an install of ours there. */
export async function findAncestorFiles({
  HOST_DIR,
  DEPLOY_CRIO_EXE,
}: Pick<AgentSettings, "HOST_DIR" | "DEPLOY_CRIO_EXE">): Promise<string[]> {
  const config = await readTextFile(join(HOST_DIR, CONFIG)).catch(() => undefined);
  const isItsConfig = config !== undefined && CONFIG_TEXT.test(config);
  // With this setting its agent wrote over whatever was there.
  const isItsProgram =
    DEPLOY_CRIO_EXE &&
    (await exists(join(HOST_DIR, PROGRAM))) &&
    (isItsConfig || (await hasTrace(HOST_DIR)));
  return [...(isItsConfig ? [CONFIG] : []), ...(isItsProgram ? [PROGRAM] : [])];
}

async function hasTrace(hostDir: string): Promise<boolean> {
  for (const name of TRACES) if (await exists(join(hostDir, name))) return true;
  return false;
}
