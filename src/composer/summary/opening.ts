// Whether a crash is explained: where the owner wants it.
import type { ComposerSettings } from "../../config/composer-settings.ts";
import type { HeldProcess } from "../../host/held-process.ts";
import type { CrashContext } from "../../model/crash-context.ts";
import type { Attempts } from "../attempt.ts";
import { Explaining } from "./explaining.ts";

/** held: undefined where the process is gone, or nobody knows which it was. */
export function openExplaining(
  { EXPLAIN, EXPLAIN_TIMEOUT }: Pick<ComposerSettings, "EXPLAIN" | "EXPLAIN_TIMEOUT">,
  crash: CrashContext,
  held: HeldProcess | undefined,
  attempts: Attempts,
  deadline: AbortSignal,
): Explaining | undefined {
  if (!EXPLAIN) return undefined;
  return new Explaining({
    crash,
    held,
    attempts,
    deadline,
    procDir: "/proc",
    timeoutSeconds: EXPLAIN_TIMEOUT,
    command: [process.execPath, "explain-crash"],
  });
}
