// Whether a crash is looked into: where the owner wants a summary, or the mapped files kept.
import type { ComposerSettings } from "../../config/composer-settings.ts";
import type { HeldProcess } from "../../host/held-process.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import type { Attempts } from "../attempt.ts";
import type { ModuleKeeping } from "../modules/module-keeping.ts";
import type { CoreFilePlace } from "./file-copy.ts";
import { Explaining } from "./explaining.ts";

/** What the process left: itself, where the kernel holds it, or its core in a file; neither where nobody knows. */
export interface CrashedPlace {
  held: HeldProcess | undefined;
  file: CoreFilePlace | undefined;
}

/** Opens the explaining of one crash. */
export function openExplaining(
  settings: Pick<ComposerSettings, "EXPLAIN" | "EXPLAIN_TIMEOUT" | "KEEP_PER_BUG">,
  modules: ModuleKeeping | undefined,
  crash: CrashContext,
  { held, file }: CrashedPlace,
  attempts: Attempts,
  deadline: AbortSignal,
): Explaining | undefined {
  const { EXPLAIN, EXPLAIN_TIMEOUT, KEEP_PER_BUG } = settings;
  if (!EXPLAIN && modules === undefined) return undefined;
  return new Explaining({
    crash,
    held,
    file,
    attempts,
    deadline,
    procDir: "/proc",
    timeoutSeconds: EXPLAIN_TIMEOUT,
    isUrgent: KEEP_PER_BUG > 0,
    command: EXPLAIN ? [process.execPath, "explain-crash"] : undefined,
    modules,
  });
}
