// Whether a crash is looked into: where the owner wants a summary, or the mapped files kept.
import type { ComposerSettings } from "../../config/composer-settings.ts";
import type { HeldProcess } from "../../host/held-process.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import type { Attempts } from "../attempt.ts";
import type { ModuleKeeping } from "../modules/module-keeping.ts";
import { Explaining } from "./explaining.ts";

/** held: undefined where the process is gone, or nobody knows which it was. */
export function openExplaining(
  settings: Pick<ComposerSettings, "EXPLAIN" | "EXPLAIN_TIMEOUT" | "KEEP_PER_BUG">,
  modules: ModuleKeeping | undefined,
  crash: CrashContext,
  held: HeldProcess | undefined,
  attempts: Attempts,
  deadline: AbortSignal,
): Explaining | undefined {
  const { EXPLAIN, EXPLAIN_TIMEOUT, KEEP_PER_BUG } = settings;
  if (!EXPLAIN && modules === undefined) return undefined;
  return new Explaining({
    crash,
    held,
    attempts,
    deadline,
    procDir: "/proc",
    timeoutSeconds: EXPLAIN_TIMEOUT,
    isUrgent: KEEP_PER_BUG > 0,
    command: EXPLAIN ? [process.execPath, "explain-crash"] : undefined,
    modules,
  });
}
