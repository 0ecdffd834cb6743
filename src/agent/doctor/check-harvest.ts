// In file mode, checks that the agent can collect the cores that the kernel writes into containers.
import { readReach, type Reach } from "../harvest/reach.ts";
import { failed, ok, skipped, warning, type CheckContext, type CheckResult } from "./check.ts";
import { readInstalledCapture } from "./installed-capture.ts";

const MOUNTS =
  "set CRIO_ENDPOINT to containerd's socket; in a pod, daemonset.captureMode=file mounts it, and the containers' files at the same path as on the host";

const RIGHTS = "add it to the pod's capabilities, as daemonset.captureMode=file does";

/** Checks what the harvest can reach. */
export async function checkHarvest({ settings, signal }: CheckContext): Promise<CheckResult> {
  const { mode } = await readInstalledCapture(settings);
  if (mode !== "file") return skipped(`cores come by ${mode}`);
  if (settings.composer.IGNORE_CRIO && settings.POD_NAME === "")
    return ok("the host's own /tmp; no containers are asked for");
  return judgeReach(await readReach(settings, signal));
}

/** Judges what the harvest can reach. */
export function judgeReach({ seen, unseen, noRuntime, lacking }: Reach): CheckResult {
  if (noRuntime !== undefined)
    return failed(`the containers' cores are not collected: ${noRuntime}`, MOUNTS);
  if (lacking.length > 0) return failed(`the agent has no ${lacking.join(", ")}`, RIGHTS);
  const [first] = unseen;
  if (first === undefined) return ok(`the /tmp of ${seen} containers is watched`);
  const found = `of ${seen + unseen.length} containers, the /tmp of ${unseen.length} is out of reach`;
  const verdict = seen === 0 ? failed : warning;
  return { ...verdict(found, MOUNTS), evidence: first };
}
