// Whether a crash is looked into: where the owner wants a summary, or the mapped files kept.
import type { ComposerSettings } from "../../config/composer-settings.ts";
import type { HeldProcess } from "../../host/held-process.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import type { Attempts } from "../attempt.ts";
import type { ModuleKeeping } from "../modules/module-keeping.ts";
import { Explaining } from "./explaining.ts";

/** held: undefined where the process is gone, or nobody knows which it was. */
export function openExplaining(
  { EXPLAIN, EXPLAIN_TIMEOUT }: Pick<ComposerSettings, "EXPLAIN" | "EXPLAIN_TIMEOUT">,
  modules: ModuleKeeping | undefined,
  crash: CrashContext,
  held: HeldProcess | undefined,
  attempts: Attempts,
  deadline: AbortSignal,
): Explaining | undefined {
  if (!EXPLAIN && modules === undefined) return undefined;
  return new Explaining({
    crash,
    held,
    attempts,
    deadline,
    procDir: "/proc",
    timeoutSeconds: EXPLAIN_TIMEOUT,
    command: EXPLAIN ? [process.execPath, "explain-crash"] : undefined,
    modules,
  });
}
