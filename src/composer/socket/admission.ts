// Decides before a core's first byte whether its dump is wanted. Where the kernel asks (`@@`), the composer refuses a
// dump that the owner's rules or the crash-loop limit leave out, and the kernel writes nothing of it. Only a dump that
// may be refused waits for the container runtime, for a short time. What is not known by then is decided beside the
// drain, as for the other capture modes.
import type { ComposerLog } from "../../host/composer-log.ts";
import { isAnyWorkloadLimited } from "../crash-loop-limit.ts";
import type { Environment } from "../environment.ts";
import type { MetadataTask } from "../metadata-task.ts";
import { logSkipped } from "../skipped-dump.ts";
import { hasRules, rulesOf } from "../metadata/rules.ts";
import type { Connection } from "./connection.ts";

/** How long to wait for the runtime. A warm one takes some ms, and the crashed process waits meanwhile. */
const ADMISSION_MAX_MS = 2_000;

/**
 * Answers the kernel. Returns false where it refused the dump, which it records in composer.log. Throws where the
 * kernel takes no answer or its question is unknown.
 */
export async function admit(
  connection: Connection,
  metadata: MetadataTask,
  { settings, hostDir }: Environment,
  log: ComposerLog,
): Promise<boolean> {
  for (const complaint of connection.complaints)
    log.milestone("warn", "crash_unknown", { complaint });
  const mayRefuse =
    connection.readRequest() &&
    (hasRules(rulesOf(settings)) ||
      settings.POD_POLICY ||
      (await isAnyWorkloadLimited(hostDir, settings)));
  if (mayRefuse) {
    const known = await metadata.resultWithin(ADMISSION_MAX_MS);
    if (known?.verdict.kind === "skip") {
      const sentBytes = connection.answer("reject");
      logSkipped(log, known.verdict, known, { refused: true, core_bytes: sentBytes });
      return false;
    }
  }
  connection.answer("accept");
  return true;
}
